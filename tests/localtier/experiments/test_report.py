from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.table import Table

from localtier.experiments.climb import Step
from localtier.experiments.drift import Drift
from localtier.experiments.report import (
    causes,
    drift_content,
    drift_lines,
    losses_table,
    outcome_content,
    outcome_problems,
    show_verdict,
    steps_table,
)
from localtier.load.ledger import Outcome
from rehearsal.runner.resources import Action
from tests.localtier.experiments.fakes import Screen, claim, client, report, tried, verdict

OK, FAILED = Outcome.OK, Outcome.FAILED
USERS = report(
    client("postgres", OK, FAILED, FAILED, OK, verdict=verdict(missing=3)),
    client("kafka", *[OK] * 1_200),
    client("chat", OK, FAILED, OK),
)
STEP = Step(
    before="stage-a",
    stage="stage-b",
    checks=50,
    faults=("redis: no slots",),
    changed_again=(),
    engine_seconds=61.2,
    whole_seconds=72.9,
    memory_mib=1_536,
    users=USERS,
    services=("postgres", "chat"),
    engines_replaced=("server-1-vllm-1",),
)
DRIFT = Drift(
    stage="stage-b",
    changes=(),
    found={"x": Action.DELETE, "a": Action.UPDATE},
    mended={"x": Action.CREATE},
    errors=("e",),
)


def printed(*what: object) -> str:
    screen = Screen(300)
    screen.print(*what)
    return screen.said


def rows(table: Table) -> Sequence[Sequence[str]]:
    """The cells of each row."""
    return [*zip(*[[str(cell) for cell in column.cells] for column in table.columns], strict=True)]


def test_a_step_is_a_row_with_what_was_written_lost_and_answered_and_the_longest_gaps() -> None:
    assert rows(steps_table([STEP])) == [
        (
            *("stage-a → stage-b", "61", "73", "49/50"),
            *("2 / 3, 3.0 s", "–", "1,200 / ?, 1.0 s", "2 / 1, 2.0 s", "1.5"),
        )
    ]


def test_a_step_without_users_has_dashes_for_what_they_would_have_noticed() -> None:
    (row,) = rows(steps_table([replace(STEP, before=None, users=None)]))
    assert row[0] == "nothing → stage-b"
    assert row[4:8] == ("–", "–", "–", "–")


def test_a_step_that_was_never_checked_passed_no_check() -> None:
    (row,) = rows(steps_table([replace(STEP, checks=0, faults=("the engine: refused",))]))
    assert row[3] == "0/0"


def test_the_gap_of_chats_has_its_cause_where_the_only_engine_was_replaced() -> None:
    assert list(causes([STEP])) == [
        "stage-a → stage-b: chats: server-1-vllm-1 is replaced, and stage-a has no second engine: longest gap 2.0 s"
    ]
    assert "nothing is replaced" in next(causes([replace(STEP, engines_replaced=())]))


def test_messages_that_stand_twice_because_their_client_sent_them_again_are_told() -> None:
    seen = client("kafka", OK, verdict=verdict(repeated=3))
    assert list(causes([replace(STEP, users=report(seen))])) == [
        "stage-a → stage-b: 3 of all 9 messages stand twice: sent again while no broker answered"
    ]


def test_no_cause_is_named_where_a_second_engine_stood_or_nobody_was_there() -> None:
    assert list(causes([replace(STEP, spare_engine=True), replace(STEP, users=None)])) == []
    assert list(causes([replace(STEP, users=report(client("postgres", OK)))])) == []


@pytest.mark.parametrize(
    ("survives", "observed", "claimed", "seen"),
    [
        (True, True, "survives", "survives"),
        (False, False, "does not", "does not"),
        (True, False, "survives", "[red]does not[/]"),
        (False, True, "does not", "[red]survives[/]"),
        (True, None, "survives", "[red]not seen[/]"),
    ],
)
def test_a_claim_is_a_row_and_what_differs_from_it_is_red(
    survives: bool, observed: bool | None, claimed: str, seen: str
) -> None:
    table = losses_table("stage-e", [tried(claim(survives=survives), observed)])
    assert rows(table) == [("container redis-1", "redis", claimed, seen, "1.2", "7")]
    assert "Claims tried at stage-e" in printed(table)


def test_only_claims_that_did_not_hold_or_were_not_seen_or_mended_are_problems() -> None:
    outcomes = [
        tried(claim(), True),
        tried(claim(), False),
        tried(claim(survives=False), True),
        tried(claim(), None),
        tried(claim(), True, healed=False),
    ]
    assert len(list(outcome_problems(outcomes))) == 4
    assert all(text.startswith("✗") for text in outcome_problems(outcomes))


def verdict_of(*problems: str) -> str:
    screen = Screen()
    show_verdict(problems, "all [done]", screen)
    return screen.said


def test_the_verdict_is_the_last_line_and_fails_with_a_single_problem() -> None:
    assert verdict_of() == "PASS: all [done]\n"
    assert verdict_of("a [b]").splitlines() == ["✗ a [b]", "FAIL: 1 findings"]


def test_drift_is_told_as_what_was_done_by_hand_found_and_mended() -> None:
    assert list(drift_lines(DRIFT))[1:] == [
        "stage-b: refresh found: update a, delete x",
        "stage-b: up then did: create x",
    ]


def test_everything_is_written_for_machines() -> None:
    drift, outcome = json.loads(json.dumps([drift_content(DRIFT), outcome_content(tried(claim(), False))]))
    assert drift == {
        "stage": "stage-b",
        "changes": [],
        "found": {"x": "delete", "a": "update"},
        "mended": {"x": "create"},
        "errors": ["e"],
    }
    assert (outcome["lost"], outcome["claimed"], outcome["observed"]) == ("container redis-1", True, False)
    assert outcome["claim"]["component"] == "redis"
    assert "trial" not in outcome
