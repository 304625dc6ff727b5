"""Checks of approvals with one rule taken out: a forgery beside this file must then get through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dreamseed.approvals import ledger
from dreamseed.approvals.ledger import BOUND, Ledger
from tests.approvals.test_forgeries import FORGERIES, Case, case

__all__ = ["case"]
Patch = Callable[[pytest.MonkeyPatch], None]


def without(name: str) -> Patch:
    return lambda patch: patch.setattr(ledger, "BOUND", {key: BOUND[key] for key in BOUND if key != name})


def nobody_signs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "signers", lambda self, approval, at: ())


def timeless(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "_check_time", lambda *_: None)


def one_person(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "holder_of", lambda *_: "")


MUTANTS: list[tuple[Patch, str]] = [
    (without("gate"), "a fact came late"),
    (without("gate"), "the drill is another"),
    (without("plan"), "another plan is carried out"),
    (without("cost"), "the cost changed"),
    (without("prices"), "the prices changed"),
    (without("commit"), "the program changed"),
    (nobody_signs, "nobody's key signed"),
    (nobody_signs, "the signatures of another approval are reused"),
    (one_person, "one person signs with two keys"),
    (timeless, "the approval expired"),
    (timeless, "it holds for longer than allowed"),
    (timeless, "it is drawn up tomorrow"),
    (timeless, "its date is not reached"),
]


@pytest.mark.parametrize(("mutant", "forgery"), MUTANTS)
def test_with_a_rule_taken_out_a_forgery_gets_through(
    case: Case, mutant: Patch, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    FORGERIES[forgery][0](case)
    mutant(monkeypatch)
    assert case.check().number == 2
