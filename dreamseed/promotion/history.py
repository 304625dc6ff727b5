"""What was promoted so far, read from the approvals and the journals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dreamseed.approvals.ledger import APPROVALS_FOLDER, Ledger
from dreamseed.approvals.record import Approval
from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.journal import Entry, Event, read_journal
from dreamseed.signing import Trust

PROMOTIONS_FOLDER = Path("promotions")


@dataclass(frozen=True, kw_only=True)
class Past:
    """One approval and what became of it: `outcome` in words, `steps` that were verified with their evidence."""

    approval: Approval
    signed_by: str
    outcome: str
    began_at: datetime | None
    ended_at: datetime | None
    steps: tuple[tuple[str, str], ...]


def journal_path(project: Path, approval: Approval) -> Path:
    """Return where the promotion that `approval` allows is journalled."""
    return project / PROMOTIONS_FOLDER / f"{approval.file_name.removesuffix('.json')}.jsonl"


def history(project: Path, trust: Trust) -> tuple[Past, ...]:
    """Return every approval of the project's chain, oldest first. Raises `DreamSeedError` where a record is broken."""
    ledger = Ledger(project / APPROVALS_FOLDER, trust)
    return tuple(
        _past(one, _signed_by(ledger, one), read_journal(journal_path(project, one))) for one in ledger.chain()
    )


def standing(past: tuple[Past, ...]) -> Stage:
    """Return the stage that stands after what is in the history: the first stage where nothing is."""
    finished = [one.approval.to_stage for one in past if one.outcome == Event.FINISHED]
    return finished[-1] if finished else Stage.A


def _past(approval: Approval, signed_by: str, entries: tuple[Entry, ...]) -> Past:
    ends = [one for one in entries if one.event in (Event.FINISHED, Event.ROLLED_BACK)]
    last = next((one for one in reversed(entries) if one.step), None)
    outcome = str(ends[-1].event) if ends else f"{last.step} {last.event}" if last else "not begun"
    return Past(
        approval=approval,
        signed_by=signed_by,
        outcome=outcome,
        began_at=entries[0].at if entries else None,
        ended_at=ends[-1].at if ends else None,
        steps=tuple((one.step, str(one.detail.get("told"))) for one in entries if one.event is Event.VERIFIED),
    )


def _signed_by(ledger: Ledger, approval: Approval) -> str:
    """Return who signed, judged at the time of the record: a key may have expired since."""
    try:
        return ", ".join(f"{one.principal} {one.fingerprint}" for one in ledger.signers(approval, approval.drawn_up_at))
    except DreamSeedError as error:
        return f"not valid: {error.what}"
