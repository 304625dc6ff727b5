"""The folder of approvals: one canonical record a file, each naming the one before, two signatures beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from dreamseed.approvals.record import APPROVAL_NAMESPACE, ROLES, Approval, Basis
from dreamseed.catalog.promotion_rules import APPROVAL_DAYS
from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.facts.store import NOTHING
from dreamseed.gates.model import Verdict
from dreamseed.signing import (
    Signer,
    Trust,
    canonical,
    digest_of_bytes,
    holder_of,
    parsed_record,
    read_signed,
    sign,
    signature_of,
    write_whole,
)

APPROVALS_FOLDER = Path("approvals")
NEW = "draw it up anew (dreamseed approve prepare), and let both sign again"


class ApprovalError(DreamSeedError):
    """A promotion is not approved, or what was approved is not what there is."""


@dataclass(frozen=True)
class Ledger:
    """The approvals in `folder`, judged by `trust`."""

    folder: Path
    trust: Trust

    def chain(self) -> tuple[Approval, ...]:
        """Return every approval in order; raises `ApprovalError` where the chain is broken. Signatures are not read."""
        found: list[Approval] = []
        previous = NOTHING
        for number, path in enumerate(sorted(self.folder.glob("[0-9]*-*-to-*.json")), start=1):
            content = path.read_bytes()
            one = _approval(path, content)
            if one.number != number or path.name != one.file_name:
                raise _broken(path, f"is number {one.number} where {number} is to stand, as {one.file_name}")
            if one.previous != previous:
                raise _broken(path, "names another record before it than the one that stands there")
            previous = digest_of_bytes(content)
            found.append(one)
        return tuple(found)

    @property
    def head(self) -> str:
        """Return the digest that the next record names."""
        chain = self.chain()
        return digest_of_bytes(self.path(chain[-1]).read_bytes()) if chain else NOTHING

    def path(self, approval: Approval) -> Path:
        """Return where an approval stands."""
        return self.folder / approval.file_name

    def add(self, approval: Approval) -> Path:
        """Write a record that is not signed yet. A record is never overwritten."""
        path = self.path(approval)
        if path.exists():
            raise ApprovalError(str(path), "is there already", "a record is written once", "the next number")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, canonical(approval.record()) + b"\n")
        return path

    def sign(self, approval: Approval, role: str, key: Path) -> Path:
        """Sign a record as `role`; the signature stands beside it."""
        path = self.path(approval)
        beside = signature_of(path, role)
        write_whole(beside, sign(path.read_bytes(), key, APPROVAL_NAMESPACE).encode())
        return beside

    def signers(self, approval: Approval, at: datetime) -> tuple[Signer, ...]:
        """Return who signed an approval; raises `DreamSeedError` unless both roles did, with keys of two people."""
        path = self.path(approval)
        _, signers = read_signed(path, principals=ROLES, namespace=APPROVAL_NAMESPACE, trust=self.trust, at=at)
        people = [holder_of(self.trust, signer.fingerprint) for signer in signers]
        if len({signer.fingerprint for signer in signers}) < len(ROLES):
            raise _refused(path, "is signed twice with one key", "two people approve a promotion, each with a key")
        if people[0] and len(set(people)) < len(ROLES):
            raise _refused(path, f"is signed twice by {people[0]}", "two people approve a promotion")
        return signers


def find(
    ledger: Ledger, here: Stage, target: Stage, now: datetime, carried_out: frozenset[int]
) -> tuple[Approval, tuple[Signer, ...]]:
    """Return the approval from `here` to `target` that both signed and that holds now, and who signed it.

    `carried_out` are the numbers of promotions that took place. Raises `DreamSeedError` with the first reason against.
    """
    of_step = [one for one in ledger.chain() if (one.from_stage, one.to_stage) == (here, target)]
    if not of_step:
        raise ApprovalError(
            str(ledger.folder),
            f"holds no approval from {here} to {target}",
            "the CTO and the CFO approve each promotion",
            "dreamseed approve prepare, then dreamseed approve sign by both",
        )
    approval = of_step[-1]
    path = ledger.path(approval)
    signers = ledger.signers(approval, now)
    if target.rank - here.rank not in (1, -1):
        raise _refused(path, f"skips from {here} to {target}", "a promotion goes one stage at a time")
    if approval.number in carried_out:
        raise _refused(path, "was carried out already", "an approval allows one promotion")
    _check_time(path, approval, now)
    met = all(verdict in (Verdict.PASS, Verdict.WAIVED) for verdict in approval.lines.values())
    if target.rank > here.rank and not met:
        raise _refused(path, "says that lines of the gate are not met", "every line is met, or waived by name")
    return approval, signers


def check(
    ledger: Ledger, here: Stage, target: Stage, basis: Basis, now: datetime, carried_out: frozenset[int]
) -> tuple[Approval, tuple[Signer, ...]]:
    """Return what `find` does if it is bound to `basis`, which is what there is now. Raises `DreamSeedError`."""
    approval, signers = find(ledger, here, target, now, carried_out)
    for name, meaning in BOUND.items():
        if getattr(approval.basis, name) != getattr(basis, name):
            what = f"is void: {meaning} is another than the one approved"
            raise _refused(ledger.path(approval), what, "it was signed for that one")
    return approval, signers


BOUND = {
    "gate": "the gate, or a fact that it rests on,",
    "plan": "the engine's plan",
    "cost": "the difference of cost",
    "prices": "the price book",
    "commit": "the program",
}
"""What an approval is bound to, in the words of the refusal."""


def _check_time(path: Path, approval: Approval, now: datetime) -> None:
    if approval.drawn_up_at > now:
        raise _refused(path, f"is drawn up at {approval.drawn_up_at}, which is to come", "it says what was known")
    if approval.expires_at - approval.drawn_up_at > timedelta(days=APPROVAL_DAYS):
        raise _refused(path, f"holds for more than {APPROVAL_DAYS} days", "facts, prices and plan move on")
    if now >= approval.expires_at:
        raise _refused(path, f"expired at {approval.expires_at}", "facts, prices and plan move on")
    if now < approval.not_before:
        raise _refused(path, f"holds from {approval.not_before} on", "the date is part of what was approved")


def _approval(path: Path, content: bytes) -> Approval:
    try:
        return Approval.model_validate(parsed_record(path, content))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise _refused(path, f"is no approval ({faults})", "it has one form") from error


def _broken(path: Path, what: str) -> ApprovalError:
    return ApprovalError(
        str(path), what, "the approvals form a chain", "the files as git has them: git checkout approvals"
    )


def _refused(path: Path, what: str, why: str) -> ApprovalError:
    return ApprovalError(str(path), what, why, NEW)
