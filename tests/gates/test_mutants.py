"""Gates with one rule broken: each must be told from the true ones by a test beside this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dreamseed.gates import checklist, triggers
from dreamseed.gates import gate as gate_module
from dreamseed.gates.model import Gate, Line, Verdict
from dreamseed.gates.situation import InARow, Situation
from tests.gates import test_gate as tests

Patch = Callable[[pytest.MonkeyPatch], None]
true_line = InARow.line
true_above = triggers._above


def told(question: InARow, situation: Situation, wrong: Callable[[Line], Line]) -> Line:
    return wrong(true_line(question, situation))


def unknown_passes(patch: pytest.MonkeyPatch) -> None:
    def wrong(line: Line) -> Line:
        return replace(line, verdict=Verdict.PASS) if line.verdict is Verdict.UNKNOWN else line

    patch.setattr(InARow, "line", lambda self, situation: told(self, situation, wrong))


def a_day_less(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(InARow, "line", lambda self, at: true_line(replace(self, days=max(1, self.days - 1)), at))


def a_day_more(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(InARow, "line", lambda self, at: true_line(replace(self, days=self.days + 1), at))


def at_is_above(patch: pytest.MonkeyPatch) -> None:
    def wrong(key: str, noun: str, measure: object, limit: float, *others: object) -> InARow:
        one = true_above(key, noun, measure, limit, *others)  # type: ignore[arg-type]
        return replace(one, holds=lambda value: value >= limit)

    patch.setattr(triggers, "_above", wrong)


def any_coverage(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("dreamseed.facts.store.LEAST_COVERAGE", 0.0)


def unknown_is_no_reason(patch: pytest.MonkeyPatch) -> None:
    def verdict(gate: Gate) -> Verdict:
        failed = any(line.verdict is Verdict.FAIL for line in gate.lines)
        return Verdict.FAIL if failed else Verdict.PASS

    patch.setattr(Gate, "verdict", property(verdict))


def no_technical_lines(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate_module, "technical", lambda *_: iter(()))


def any_drill_will_do(patch: pytest.MonkeyPatch) -> None:
    true = checklist._drill

    def wrong(situation: Situation, current: object) -> Line:
        return replace(true(situation, current), verdict=Verdict.PASS)  # type: ignore[arg-type]

    patch.setattr(checklist, "_drill", wrong)


def cost_is_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checklist, "REVENUE_OVER_COST", 1.0)


def gap() -> None:
    tests.test_a_gap_in_the_row_is_unknown_and_unknown_does_not_pass(tests.TRIGGERS[0])


def row() -> None:
    tests.test_each_day_of_a_row_counts_and_the_day_before_it_does_not(tests.TRIGGERS[0])


def threshold() -> None:
    tests.test_a_trigger_is_told_just_below_at_and_just_above_its_threshold(tests.TRIGGERS[0])


def coverage() -> None:
    tests.test_a_day_below_the_least_coverage_is_unknown_and_at_it_known()


def example() -> None:
    tests.test_the_worked_example_from_b_to_c_asks_the_plans_checklist()


def drills() -> None:
    tests.test_the_newest_restore_drill_of_the_stage_decides([], Verdict.UNKNOWN)


def revenue() -> None:
    tests.test_revenue_must_be_above_twice_the_cost_of_the_last_full_month(tests.PROMOTED[0])


@pytest.mark.parametrize(
    ("mutant", "test"),
    [
        (unknown_passes, gap),
        (unknown_is_no_reason, gap),
        (a_day_less, row),
        (a_day_more, row),
        (at_is_above, threshold),
        (any_coverage, coverage),
        (no_technical_lines, example),
        (any_drill_will_do, drills),
        (cost_is_enough, revenue),
    ],
)
def test_a_broken_rule_is_noticed(mutant: Patch, test: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    test()
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        test()
