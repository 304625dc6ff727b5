"""A promotion from its approval to its report: what is asked before, and how the steps are run in a world."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dreamseed.approvals.basis import basis
from dreamseed.approvals.ledger import APPROVALS_FOLDER, ApprovalError, Ledger, check, find
from dreamseed.approvals.record import Approval
from dreamseed.config import Stage
from dreamseed.gates.gate import gate
from dreamseed.gates.gather import Places, gather
from dreamseed.gates.model import Verdict
from dreamseed.journal import Journal, is_over, opened, read_journal
from dreamseed.promotion.history import PROMOTIONS_FOLDER, journal_path
from dreamseed.promotion.playbook import World
from dreamseed.promotion.saga import Step, Tell, roll_back, run
from dreamseed.signing import Signer, digest


@dataclass(frozen=True, kw_only=True)
class Session:
    """The promotion from `here` to `target` of the project in the folder `project`."""

    project: Path
    places: Places
    here: Stage
    target: Stage
    clock: Callable[[], datetime]

    @property
    def ledger(self) -> Ledger:
        """Return the project's approvals."""
        return Ledger(self.project / APPROVALS_FOLDER, self.places.trust)

    def signed(self) -> tuple[Approval, tuple[Signer, ...]]:
        """Return the approval that both signed, and who did, before anything is asked of the engine.

        Raises `DreamSeedError`.
        """
        return find(self.ledger, self.here, self.target, self.clock(), self.carried_out())

    def approval(self, plan_digest: str) -> tuple[Approval, tuple[Signer, ...]]:
        """Return the approval that holds now for the engine's plan with this digest, and who signed it.

        The gate is judged again as of the moment of the record with what is known now, and as of now: facts that came
        late void it, and so does a gate that fails by now. Raises `DreamSeedError`.
        """
        now = self.clock()
        drawn_up_at = self.signed()[0].drawn_up_at
        then = gather(self.project, self.places, drawn_up_at, known_at=now)
        there_is = basis(self.project, then, gate(then, self.here, self.target), plan_digest)
        found = check(self.ledger, self.here, self.target, there_is, now, self.carried_out())
        today = gate(gather(self.project, self.places, now), self.here, self.target)
        if today.verdict is Verdict.FAIL:
            failed = ", ".join(line.key for line in today.missing if line.verdict is Verdict.FAIL)
            raise ApprovalError(
                str(self.ledger.path(found[0])),
                f"is of {found[0].drawn_up_at:%Y-%m-%d}; by now the gate fails: {failed}",
                "a promotion is decided on data, also on the day it is made",
                "wait, or draw up a new approval when the gate passes",
            )
        return found

    def journal(self, approval: Approval) -> AbstractContextManager[Journal]:
        """Give the journal to this process alone."""
        return opened(journal_path(self.project, approval), self.clock)

    def carried_out(self) -> frozenset[int]:
        """Return the numbers of the approvals whose promotions are over."""
        return frozenset(
            int(path.name[:4])
            for path in (self.project / PROMOTIONS_FOLDER).glob("[0-9]*.jsonl")
            if is_over(read_journal(path))
        )

    def under_way(self) -> Approval | None:
        """Return the approval of this step whose promotion was begun and is not over: it is finished first."""
        for one in self.ledger.chain():
            entries = read_journal(journal_path(self.project, one))
            of_step = (one.from_stage, one.to_stage) == (self.here, self.target)
            if of_step and entries and not is_over(entries):
                return one
        return None


def carry_out(journal: Journal, approval: Approval, steps: tuple[Step, ...], world: World, tell: Tell) -> None:
    """Run the steps of an approved promotion from wherever its journal stands."""
    journal.belongs_to(**_named(approval))
    run(steps, journal, world.silence, tell)


def undo(journal: Journal, approval: Approval, steps: tuple[Step, ...], world: World, tell: Tell) -> None:
    """Undo an approved promotion, the last step first."""
    journal.belongs_to(**_named(approval))
    roll_back(steps, journal, world.silence, tell)


def _named(approval: Approval) -> dict[str, str]:
    """Return what the journal of an approved promotion is opened with."""
    return {"approval": digest(approval.record()), "plan": approval.basis.plan}
