"""Everything that somebody may try to be allowed a promotion which two people did not approve."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dreamseed.approvals.ledger import Ledger, check
from dreamseed.approvals.record import APPROVAL_NAMESPACE, Approval, Basis, Cost, draw_up
from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.gates.gate import gate
from dreamseed.gates.model import Gate, Verdict
from dreamseed.signing import canonical, digest, digest_of_bytes, sign, signature_of
from playbook.made_up import Keyring, keyring
from tests.gates.situations import situation

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ONLY = f'namespaces="{APPROVAL_NAMESPACE}"'


@dataclass
class Case:
    """Approvals 1 (A → B, carried out) and 2 (B → C, to be used now) in a ledger, and what there is now."""

    ledger: Ledger
    ring: Keyring
    basis: Basis
    gate: Gate
    here: Stage = Stage.B
    target: Stage = Stage.C
    now: datetime = NOW
    carried_out: frozenset[int] = field(default_factory=lambda: frozenset({1}))

    def check(self) -> Approval:
        return check(self.ledger, self.here, self.target, self.basis, self.now, self.carried_out)[0]

    def path(self, number: int = 2) -> Path:
        (path,) = self.ledger.folder.glob(f"{number:04}-*-to-?.json")
        return path

    def draw(self, **changes: Any) -> Approval:
        """Put another record in place of the second, not signed."""
        one = self.ledger.chain()[-1].model_copy(update=changes)
        self.path().unlink()
        self.ledger.add(one)
        return one

    def sign(self, cto: str = "kim", cfo: str = "lee", namespace: str = APPROVAL_NAMESPACE) -> None:
        for role, name in (("cto", cto), ("cfo", cfo)):
            content = self.path().read_bytes()
            signature_of(self.path(), role).write_text(sign(content, self.ring.key(name), namespace))

    def edit(self, members: dict[str, Any], number: int = 2) -> None:
        """Change members of a record on the disk, whose signatures stay."""
        path = self.path(number)
        path.write_bytes(canonical(json.loads(path.read_bytes()) | members) + b"\n")

    def edit_basis(self, **members: Any) -> None:
        self.edit({"basis": json.loads(self.path().read_bytes())["basis"] | members})

    def is_now(self, **members: Any) -> None:
        self.basis = self.basis.model_copy(update=members)


OTHER = "sha256:" + "9" * 64


@pytest.fixture
def case(tmp_path: Path) -> Case:
    ring = keyring(tmp_path / "keys")
    ring.allow("cto", "kim", ONLY)
    ring.allow("cfo", "lee", ONLY)
    ledger = Ledger(tmp_path / "approvals", ring.trust)
    passed = gate(situation(Stage.B), Stage.B, Stage.C)
    basis = Basis(
        gate=passed.digest,
        cost=Cost(before_usd=245.0, after_usd=629.0, digest=digest("cost")),
        plan=digest("plan"),
        prices=digest("prices"),
        commit="a" * 40,
    )
    first = gate(situation(Stage.A), Stage.A, Stage.B)
    for found, at in ((first, NOW - timedelta(days=60)), (passed, NOW - timedelta(days=1))):
        number, head = len(ledger.chain()) + 1, ledger.head
        one = draw_up(found, basis, number=number, previous=head, now=at, not_before=at)
        ledger.add(one)
        ledger.sign(one, "cto", ring.key("kim"))
        ledger.sign(one, "cfo", ring.key("lee"))
    return Case(ledger, ring, basis, passed)


def test_what_two_people_approved_is_allowed(case: Case) -> None:
    assert case.check().number == 2


def swapped_files(case: Case) -> None:
    one, two = case.path(1), case.path(2)
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])


def renumbered(case: Case) -> None:
    """Remove the first record and let the second be the first, signed anew by nobody."""
    for path in case.ledger.folder.glob("0001-*"):
        path.unlink()


def rewritten_history(case: Case) -> None:
    case.edit({"drawn_up_at": "2026-01-01T00:00:00Z"}, 1)


def reused(case: Case) -> None:
    """The signatures of the first approval under the second record."""
    for role in ("cto", "cfo"):
        shutil.copyfile(signature_of(case.path(1), role), signature_of(case.path(2), role))


def copied_approval(case: Case) -> None:
    """The first approval again, as the third: signed by both, for a promotion that was carried out."""
    record = case.path(1).read_bytes()
    target = case.ledger.folder / "0003-a-to-b.json"
    target.write_bytes(record)
    for role in ("cto", "cfo"):
        shutil.copyfile(signature_of(case.path(1), role), signature_of(target, role))


def swapped_roles(case: Case) -> None:
    case.sign(cto="lee", cfo="kim")


def one_key_for_two(case: Case) -> None:
    case.ring.allow("cfo", "kim", ONLY)
    case.sign(cfo="kim")


def one_person_with_two_keys(case: Case) -> None:
    second = case.ring.key("second")
    public = Path(f"{second}.pub")
    public.write_text(public.read_text().replace("second@", "kim@"))
    case.ring.allow("cfo", "second", ONLY)
    case.sign(cfo="second")


def one_signature_for_two(case: Case) -> None:
    shutil.copyfile(signature_of(case.path(), "cto"), signature_of(case.path(), "cfo"))


def without(role: str) -> Callable[[Case], None]:
    return lambda case: signature_of(case.path(), role).unlink()


def unformatted(case: Case) -> None:
    case.path().write_text(json.dumps(json.loads(case.path().read_bytes()), indent=1))
    case.sign()


def longer_than_allowed(case: Case) -> None:
    case.draw(expires_at=NOW + timedelta(days=14))
    case.sign()


def of_tomorrow(case: Case) -> None:
    case.draw(drawn_up_at=NOW + timedelta(hours=1), expires_at=NOW + timedelta(days=2))
    case.sign()


def too_early(case: Case) -> None:
    case.draw(not_before=NOW + timedelta(seconds=1))
    case.sign()


def of_a_gate_that_fails(case: Case) -> None:
    case.draw(lines={line.key: Verdict.UNKNOWN for line in case.gate.lines})
    case.sign()


def a_skip(case: Case) -> None:
    one = case.ledger.chain()[-1].model_copy(update={"to_stage": Stage.E})
    case.path().unlink()
    case.ledger.add(one)
    case.target = Stage.E
    for role, name in (("cto", "kim"), ("cfo", "lee")):
        case.ledger.sign(one, role, case.ring.key(name))


def expired_key(case: Case) -> None:
    case.ring.allow("cto", "old", 'valid-before="20261101"')
    case.sign(cto="old")


def late_fact(case: Case) -> None:
    """A fact that the gate rests on is superseded: the same verdicts, by another row."""
    line = case.gate.lines[0]
    late = replace(case.gate, lines=(replace(line, facts=(OTHER, *line.facts[1:])), *case.gate.lines[1:]))
    case.is_now(gate=late.digest)


def changed_drill(case: Case) -> None:
    line = case.gate.lines[-1]
    other = replace(case.gate, lines=(*case.gate.lines[:-1], replace(line, facts=(OTHER,))))
    case.is_now(gate=other.digest)


def cut_off(case: Case) -> None:
    case.path().write_bytes(case.path().read_bytes()[:-20])


def with_more(case: Case) -> None:
    case.edit({"note": "fine by me"})
    case.sign()


FORGERIES: dict[str, tuple[Callable[[Case], Any], str]] = {
    "the stage it leads from is edited": (lambda case: case.edit({"from": "A"}), "is number 2 where 2"),
    "the stage it leads to is edited": (lambda case: case.edit({"to": "D"}), "is number 2 where 2"),
    "a verdict is edited": (lambda case: case.edit({"lines": {"sign-ups": "pass"}}), "does not fit the record"),
    "the gate is edited": (lambda case: case.edit_basis(gate=OTHER), "does not fit the record"),
    "the plan is edited": (lambda case: case.edit_basis(plan=OTHER), "does not fit the record"),
    "the prices are edited": (lambda case: case.edit_basis(prices=OTHER), "does not fit the record"),
    "the commit is edited": (lambda case: case.edit_basis(commit="b" * 40), "does not fit the record"),
    "the cost is edited": (
        lambda case: case.edit_basis(cost={"before_usd": 1.0, "after_usd": 2.0, "digest": OTHER}),
        "does not fit the record",
    ),
    "the expiry is put off": (
        lambda case: case.edit({"expires_at": "2026-12-20T00:00:00Z"}),
        "does not fit the record",
    ),
    "a member is added and signed": (with_more, "is no approval"),
    "the record is cut off": (cut_off, "canonical form"),
    "the record is written otherwise and signed": (unformatted, "canonical form"),
    "the CTO did not sign": (without("cto"), "has no signature of cto"),
    "the CFO did not sign": (without("cfo"), "has no signature of cfo"),
    "nobody's key signed": (lambda case: case.sign(cto="eve"), "is unknown"),
    "the roles are swapped": (swapped_roles, "is of cfo, not of cto"),
    "one key signs for both roles": (one_key_for_two, "signed twice with one key"),
    "one person signs with two keys": (one_person_with_two_keys, "signed twice by kim@dreamseed.example"),
    "one signature stands for both": (one_signature_for_two, "is of cto, not of cfo"),
    "the signatures of another approval are reused": (reused, "does not fit the record"),
    "signatures for another purpose are used": (
        lambda case: case.sign(namespace="gate-waiver"),
        "is signed for another purpose",
    ),
    "the CTO's key is revoked": (lambda case: case.ring.revoke("kim"), "of cto is revoked"),
    "the CFO's key is revoked": (lambda case: case.ring.revoke("lee"), "of cfo is revoked"),
    "the CTO's key expired": (expired_key, "has expired"),
    "the approval expired": (lambda case: setattr(case, "now", NOW + timedelta(days=13)), "expired at"),
    "it holds for longer than allowed": (longer_than_allowed, "holds for more than 14 days"),
    "it is drawn up tomorrow": (of_tomorrow, "which is to come"),
    "its date is not reached": (too_early, "holds from"),
    "the gate did not pass": (of_a_gate_that_fails, "lines of the gate are not met"),
    "it skips stages": (a_skip, "skips from B to E"),
    "another plan is carried out": (lambda case: case.is_now(plan=OTHER), "the engine's plan is another"),
    "a fact came late": (late_fact, "a fact that it rests on, is another"),
    "the drill is another": (changed_drill, "a fact that it rests on, is another"),
    "the prices changed": (lambda case: case.is_now(prices=OTHER), "the price book is another"),
    "the cost changed": (
        lambda case: case.is_now(cost=Cost(before_usd=245.0, after_usd=630.0, digest=OTHER)),
        "the difference of cost is another",
    ),
    "the program changed": (lambda case: case.is_now(commit="b" * 40), "the program is another"),
    "the chain is reordered": (swapped_files, "is number 2 where 1"),
    "an earlier record is removed": (renumbered, "is number 2 where 1"),
    "an earlier record is rewritten": (rewritten_history, "names another record before it"),
    "it was carried out already": (lambda case: setattr(case, "carried_out", frozenset({1, 2})), "was carried out"),
    "an old approval is appended again": (copied_approval, "is number 1 where 3"),
    "there is none for this step": (lambda case: setattr(case, "here", Stage.C), "holds no approval"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused_with_its_reason(case: Case, forgery: str) -> None:
    attempt, words = FORGERIES[forgery]
    attempt(case)
    with pytest.raises(DreamSeedError) as refused:
        case.check()
    assert words in refused.value.what
    assert refused.value.why
    assert refused.value.remedy


def test_a_chain_ends_in_the_digest_of_its_last_record(case: Case) -> None:
    assert case.ledger.head == digest_of_bytes(case.path().read_bytes())
    assert case.ledger.chain()[1].previous == digest_of_bytes(case.path(1).read_bytes())


def test_a_record_is_never_overwritten(case: Case) -> None:
    with pytest.raises(DreamSeedError, match="is there already"):
        case.ledger.add(case.ledger.chain()[1])
