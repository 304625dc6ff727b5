from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.monitoring.model import Alert, Concern, Severity
from tests.monitoring.proof import proof
from tests.monitoring.proof.mutants import mutants
from tests.monitoring.proof.promtool import checked, failures, write_cases
from tests.monitoring.proof.series import Book, gauge


def test_promtool_accepts_the_configuration_and_the_rules_of_every_stage() -> None:
    assert proof.wrong_files() == []


def test_every_alert_of_every_stage_has_a_case_that_fires_and_one_that_stays_silent() -> None:
    assert proof.unproved() == []


def test_every_case_and_every_recorded_ratio_is_as_written_down() -> None:
    assert proof.failed_cases() == []


def test_another_threshold_window_or_comparison_of_any_expression_is_noticed() -> None:
    found = proof.score()
    print(f"mutants: {found.total - len(found.survivors)} of {found.total} caught, {100 * found.share:.1f} %")  # noqa: T201
    assert found.total > 800
    assert found.share >= proof.LEAST_SHARE, found.survivors


def test_an_alert_without_cases_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = tuple(case for case in proof.book() if case.alert != "PgDown" or case.labels)
    monkeypatch.setattr(proof, "book", lambda: fewer)
    assert proof.unproved() == ["PgDown is never silent"]


def test_a_case_that_expects_something_else_fails_and_a_wrong_rule_is_refused(tmp_path: Path) -> None:
    book = Book()
    book.silent("PgDown", 420, {"pg_up": gauge((0, 420))})
    wrong = write_cases(tmp_path, "wrong", proof.alerts("stage-e")["PgDown"], book.cases)
    right = write_cases(tmp_path, "right", proof.alerts("stage-e")["PgDown"], proof.by_alert()["stage-e", "PgDown"])
    assert list(failures([wrong, right])) == [wrong]
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules.yml]", encoding="utf-8")
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]", encoding="utf-8")
    assert "could not parse expression" in checked(tmp_path)


def alert(expression: str, for_seconds: int = 0) -> Alert:
    return Alert(
        name="A",
        expression=expression,
        severity=Severity.WARNING,
        component="c",
        concern=Concern.ERRORS,
        summary="s",
        action="a",
        for_seconds=for_seconds,
    )


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        ('x{a="> 3 [5m]"} > 7', ["x < 7", "x >= 7", "x > 8", "x > 6"]),
        ("x / y < 0.8", ["x / y > 0.8", "x / y <= 0.8", "x / y < 0.88", "x / y < 0.72"]),
        ("up == 0", ["up != 0", "up == 1", "up == -1"]),
        (
            "rate(x[5m]) > 50",
            [
                "rate(x[5m]) < 50",
                "rate(x[5m]) > 55",
                "rate(x[5m]) > 45",
                "rate(x[600s]) > 50",
                "rate(x[150s]) > 50",
            ],
        ),
        (
            "histogram_quantile(0.9, x) > 50",
            [
                "histogram_quantile(0.9, x) < 50",
                "histogram_quantile(0.99, x) > 50",
                "histogram_quantile(0.81, x) > 50",
                "histogram_quantile(0.9, x) > 55",
                "histogram_quantile(0.9, x) > 45",
            ],
        ),
    ],
)
def test_mutants_change_one_threshold_window_or_comparison_and_nothing_in_a_matcher(
    expression: str, changed: list[str]
) -> None:
    made = [mutant.alert.expression.replace('{a="> 3 [5m]"}', "") for mutant in mutants(alert(expression))]
    assert made == changed


def test_durations_are_mutated_too() -> None:
    assert [mutant.alert.for_seconds for mutant in mutants(alert("up == 0", 60))][-2:] == [120, 30]
