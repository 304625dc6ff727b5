from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.promotion_rules import DOWN_DAYS, LEAST_COVERAGE
from dreamseed.config import Stage
from dreamseed.errors import PromotionError
from dreamseed.facts.days import days_until, month_ends
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Fact, Store
from dreamseed.gates.checklist import peak_mbit_per_second
from dreamseed.gates.gate import gate
from dreamseed.gates.model import Gate, Line, Verdict
from tests.gates.situations import DAY, NOW, costs, drill, following, met, recorded, situation, stages

PROMOTED = [Stage.A, Stage.B, Stage.C, Stage.D]
MONTH = month_ends(DAY, 1)[0]
SMALL = 1e-6
# Every trigger that a stage file of the plan names: stage, line, measure, threshold, days in a row, true at it.
TRIGGERS = [
    (Stage.A, "sign-ups", Measure.SIGN_UPS, 1_000, 7, False),
    (Stage.A, "concurrent-users", Measure.CONCURRENT_USERS, 100, 7, True),
    (Stage.A, "gpu-utilization", Measure.GPU_UTILIZATION, 0.8, 3, False),
    (Stage.A, "api-p95", Measure.API_P95_SECONDS, 0.5, 2, False),
    (Stage.B, "sign-ups", Measure.SIGN_UPS, 10_000, 7, False),
    (Stage.B, "concurrent-users", Measure.CONCURRENT_USERS, 500, 7, True),
    (Stage.B, "gpu-utilization", Measure.GPU_UTILIZATION, 0.85, 3, False),
    (Stage.B, "api-p95", Measure.API_P95_SECONDS, 0.3, 2, False),
    (Stage.B, "queue-wait", Measure.QUEUE_WAIT_SECONDS, 10, 1, False),
    (Stage.C, "sign-ups", Measure.SIGN_UPS, 100_000, 7, False),
    (Stage.C, "concurrent-users", Measure.CONCURRENT_USERS, 3_000, 7, True),
    (Stage.C, "queue-wait", Measure.QUEUE_WAIT_SECONDS, 5, 1, False),
    (Stage.C, "cache-misses", Measure.CACHE_MISS_RATIO, 0.3, 2, False),
    (Stage.D, "sign-ups", Measure.SIGN_UPS, 500_000, 7, False),
    (Stage.D, "concurrent-users", Measure.CONCURRENT_USERS, 7_000, 7, True),
    (Stage.D, "database-tps", Measure.DATABASE_TPS, 5_000, 2, False),
    (Stage.D, "network", Measure.NETWORK_MBIT_PER_SECOND, 1_000, 2, False),
]
Trigger = tuple[Stage, str, Measure, float, int, bool]


def line(found: Gate, key: str) -> Line:
    (one,) = [each for each in found.lines if each.key == key]
    return one


def up(stage: Stage, values: dict[tuple[Measure, date], float | None]) -> Gate:
    return gate(situation(stage, values), stage, following(stage))


def with_days(
    stage: Stage, measure: Measure, days: int, value: float | None
) -> dict[tuple[Measure, date], float | None]:
    return {**met(stage), **{(measure, day): value for day in days_until(DAY, days)}}


@pytest.mark.parametrize("stage", PROMOTED)
def test_a_promotion_with_everything_met_passes(stage: Stage) -> None:
    found = gate(situation(stage), stage, following(stage))
    assert [(one.key, one.evidence) for one in found.missing] == []
    assert (found.verdict, found.is_due) == (Verdict.PASS, True)


def test_the_gates_ask_for_every_trigger_of_the_plan_and_no_other() -> None:
    asked = {
        (stage, one.key)
        for stage in PROMOTED
        for one in gate(situation(stage), stage, following(stage)).lines
        if one.trigger
    }
    assert asked == {(stage, key) for stage, key, *_ in TRIGGERS}


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: f"{one[0]}-{one[1]}")
def test_a_trigger_is_told_just_below_at_and_just_above_its_threshold(trigger: Trigger) -> None:
    stage, key, measure, threshold, days, at = trigger
    for value, holds in ((threshold - SMALL, False), (threshold, at), (threshold + SMALL, True)):
        found = up(stage, with_days(stage, measure, days, value))
        assert line(found, key).verdict is (Verdict.PASS if holds else Verdict.FAIL)
        assert found.verdict is (Verdict.PASS if holds else Verdict.FAIL)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: f"{one[0]}-{one[1]}")
def test_each_day_of_a_row_counts_and_the_day_before_it_does_not(trigger: Trigger) -> None:
    stage, key, measure, _, days, _ = trigger
    for back in range(days):
        values = met(stage)
        values[measure, DAY - timedelta(days=back)] = 0.0
        assert line(up(stage, values), key).verdict is Verdict.FAIL
    values = met(stage)
    values[measure, DAY - timedelta(days=days)] = 0.0
    assert line(up(stage, values), key).verdict is Verdict.PASS


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: f"{one[0]}-{one[1]}")
def test_a_gap_in_the_row_is_unknown_and_unknown_does_not_pass(trigger: Trigger) -> None:
    stage, key, measure, _, days, _ = trigger
    for back, absent in product(range(days), (True, False)):
        values = met(stage)
        if absent:
            del values[measure, DAY - timedelta(days=back)]
        else:
            values[measure, DAY - timedelta(days=back)] = None
        found = up(stage, values)
        assert line(found, key).verdict is Verdict.UNKNOWN
        assert found.verdict is Verdict.UNKNOWN


def test_a_day_below_the_least_coverage_is_unknown_and_at_it_known() -> None:
    for coverage, verdict in ((LEAST_COVERAGE, Verdict.PASS), (LEAST_COVERAGE - SMALL, Verdict.UNKNOWN)):
        facts = recorded(met(Stage.B), coverage)
        found = gate(situation(Stage.B, facts=facts), Stage.B, Stage.C)
        assert line(found, "sign-ups").verdict is verdict
        assert found.verdict is verdict


def test_the_worked_example_from_b_to_c_asks_the_plans_checklist() -> None:
    found = gate(situation(Stage.B), Stage.B, Stage.C)
    assert [one.asks for one in found.lines][:5] == [
        "sign-ups above 10,000, 7 days in a row",
        "concurrent users at 500 or more at peak, 7 days in a row",
        "GPU utilisation above 85%, 3 days in a row",
        "API p95 above 300 ms, 2 days in a row",
        "wait for an engine at peak above 10 s, on the last day",
    ]
    assert [one.key for one in found.lines][5:] == [
        *("revenue", "extra-cost", "reserve"),
        *("gpus-in-stock", "server-power", "bandwidth", "monitoring", "restore-drill"),
    ]
    assert "planned are +110" in line(found, "extra-cost").evidence


@pytest.mark.parametrize("stage", PROMOTED)
def test_revenue_must_be_above_twice_the_cost_of_the_last_full_month(stage: Stage) -> None:
    for revenue, verdict in ((20_000, Verdict.FAIL), (20_000.01, Verdict.PASS), (None, Verdict.UNKNOWN)):
        values = {**met(stage), (Measure.REVENUE_USD, MONTH): revenue, (Measure.COST_USD, MONTH): 10_000.0}
        assert line(up(stage, values), "revenue").verdict is verdict


def test_a_month_that_is_not_booked_is_unknown_however_good_the_one_before() -> None:
    values = met(Stage.B)
    values[Measure.REVENUE_USD, MONTH.replace(day=1) - timedelta(days=1)] = values.pop((Measure.REVENUE_USD, MONTH))
    assert line(up(Stage.B, values), "revenue").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("stage", PROMOTED)
def test_the_larger_of_planned_and_estimated_extra_cost_must_be_affordable(stage: Stage) -> None:
    planned = stages()[stage].next_stage
    assert planned
    extra = max(planned.extra_usd_per_month, costs()[following(stage)].expected - costs()[stage].expected)
    for profit, verdict in ((extra - 0.01, Verdict.FAIL), (extra + SMALL, Verdict.PASS)):
        values = {**met(stage), (Measure.REVENUE_USD, MONTH): 100 + profit, (Measure.COST_USD, MONTH): 100.0}
        assert line(up(stage, values), "extra-cost").verdict is verdict


@pytest.mark.parametrize("stage", PROMOTED)
def test_what_must_be_there_is_told_below_and_at_what_is_needed(stage: Stage) -> None:
    following_stage = stages()[following(stage)]
    monthly = max(following_stage.budget.usd_per_month, costs()[following(stage)].expected)
    server = max(one.gpus.count for one in following_stage.servers.values())
    usage = following_stage.usage
    cards = [sum(server.gpus.count for server in one.servers.values()) for one in (stages()[stage], following_stage)]
    needed = {
        ("reserve", Measure.RESERVE_USD): 3 * monthly,
        ("gpus-in-stock", Measure.GPUS_IN_STOCK): cards[1] - cards[0],
        ("server-power", Measure.SERVER_POWER_WATTS): server * usage.gpu_busy_watts.high + usage.host_watts.high,
        ("bandwidth", Measure.LINK_MBIT_PER_SECOND): peak_mbit_per_second(following_stage),
    }
    for (key, measure), least in needed.items():
        for value, verdict in ((least, Verdict.PASS), (least - 0.01, Verdict.FAIL)):
            found = up(stage, with_days(stage, measure, 1, value))
            assert line(found, key).verdict is verdict, key
        assert line(up(stage, with_days(stage, measure, 40, None)), key).verdict is Verdict.UNKNOWN


def test_what_a_person_looked_up_long_ago_is_unknown() -> None:
    values = {key: value for key, value in met(Stage.B).items() if key[0] is not Measure.GPUS_IN_STOCK}
    for back, verdict in ((29, Verdict.PASS), (30, Verdict.UNKNOWN)):
        looked_up = {**values, (Measure.GPUS_IN_STOCK, DAY - timedelta(days=back)): 2.0}
        assert line(up(Stage.B, looked_up), "gpus-in-stock").verdict is verdict


def test_monitoring_is_ready_when_every_measure_of_the_last_week_is_known() -> None:
    values = met(Stage.B)
    del values[Measure.DATABASE_TPS, DAY - timedelta(days=6)]
    found = line(up(Stage.B, values), "monitoring")
    assert (found.verdict, found.evidence) == (Verdict.UNKNOWN, "unknown: database_tps 1 days")


@pytest.mark.parametrize(
    ("drills", "verdict"),
    [
        ([], Verdict.UNKNOWN),
        ([drill(Stage.A)], Verdict.UNKNOWN),
        ([drill(Stage.B)], Verdict.PASS),
        ([drill(Stage.B, taken_at=NOW - timedelta(days=30))], Verdict.PASS),
        ([drill(Stage.B, taken_at=NOW - timedelta(days=30, seconds=1))], Verdict.UNKNOWN),
        ([drill(Stage.B, passed=False)], Verdict.FAIL),
        ([drill(Stage.B, missing_rows=1)], Verdict.FAIL),
        ([drill(Stage.B), drill(Stage.B, taken_at=NOW, passed=False)], Verdict.FAIL),
        ([drill(Stage.B, passed=False), drill(Stage.B, taken_at=NOW)], Verdict.PASS),
    ],
)
def test_the_newest_restore_drill_of_the_stage_decides(drills: list[object], verdict: Verdict) -> None:
    found = gate(situation(Stage.B, drills=drills), Stage.B, Stage.C)
    assert line(found, "restore-drill").verdict is verdict
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("here", "there"), [pair for pair in product(Stage, Stage) if abs(pair[0].rank - pair[1].rank) != 1]
)
def test_no_stage_is_skipped_up_or_down(here: Stage, there: Stage) -> None:
    with pytest.raises(PromotionError, match="one stage at a time"):
        gate(situation(Stage.A), here, there)


ANYTHING = st.dictionaries(
    st.tuples(st.sampled_from(Measure), st.sampled_from([*days_until(DAY, 8), *month_ends(DAY, 2)])),
    st.one_of(st.none(), st.floats(0, 1e9)),
)


@given(values=ANYTHING, here=st.sampled_from(Stage), there=st.sampled_from(Stage), coverage=st.floats(0, 1))
def test_no_facts_let_a_stage_be_skipped_or_an_unknown_pass(
    values: dict[tuple[Measure, date], float | None], here: Stage, there: Stage, coverage: float
) -> None:
    start = here if here is not Stage.E else Stage.D
    facts = {**recorded(met(start)), **recorded(values, coverage)}
    asked = situation(start, facts=facts)
    if abs(here.rank - there.rank) != 1:
        with pytest.raises(PromotionError):
            gate(asked, here, there)
        return
    found = gate(asked, here, there)
    if found.verdict is Verdict.PASS and not found.goes_down:
        assert all(one.verdict is Verdict.PASS for one in found.lines)
        assert found.is_due
    for one in found.lines:
        if one.trigger and one.verdict is Verdict.PASS:
            assert "unknown" not in one.evidence


def down(values: dict[tuple[Measure, date], float | None]) -> Gate:
    return gate(situation(Stage.C, values, drills=[drill(Stage.C)]), Stage.C, Stage.B)


def test_going_down_is_due_when_users_fell_for_a_month() -> None:
    for users, verdict in ((499, Verdict.PASS), (500, Verdict.FAIL)):
        found = down(with_days(Stage.C, Measure.CONCURRENT_USERS, DOWN_DAYS, users))
        assert (line(found, "users-fell").verdict, found.verdict) == (verdict, verdict)


def test_going_down_is_due_when_two_months_cost_more_than_they_brought_and_the_users_fit() -> None:
    few = with_days(Stage.C, Measure.CONCURRENT_USERS, DOWN_DAYS, 500)
    losing: dict[tuple[Measure, date], float | None] = {
        (measure, month): value
        for month in month_ends(DAY, 2)
        for measure, value in ((Measure.COST_USD, 300.0), (Measure.REVENUE_USD, 299.0))
    }
    assert down({**few, **losing}).verdict is Verdict.PASS
    assert down({**few, **losing, (Measure.REVENUE_USD, MONTH): 300.0}).verdict is Verdict.FAIL
    assert down({**few, **losing, (Measure.REVENUE_USD, MONTH): None}).verdict is Verdict.UNKNOWN
    many = with_days(Stage.C, Measure.CONCURRENT_USERS, DOWN_DAYS, 501)
    assert line(down({**many, **losing}), "users-fit").verdict is Verdict.FAIL
    assert down({**many, **losing}).verdict is Verdict.FAIL


def test_an_unknown_day_keeps_from_going_down_too() -> None:
    values = with_days(Stage.C, Measure.CONCURRENT_USERS, DOWN_DAYS, 100)
    values[Measure.CONCURRENT_USERS, DAY - timedelta(days=11)] = None
    assert down(values).verdict is Verdict.UNKNOWN


def test_late_data_changes_the_verdict_from_its_recording_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "facts.sqlite")
    late = Fact(measure=Measure.SIGN_UPS, day=DAY - timedelta(days=2), value=9_999.0, source="counted again")
    first = [
        Fact(measure=measure, day=day, value=value, source="made up")
        for (measure, day), value in met(Stage.B).items()
        if (measure, day) != (late.measure, late.day)
    ]
    verdicts = []
    for moment, facts in ((NOW, first), (NOW, [replace(late, value=10_001.0)]), (NOW + timedelta(hours=1), [late])):
        store.record(facts, moment)
        asked = situation(Stage.B, facts=store.current())
        verdicts.append(line(gate(asked, Stage.B, Stage.C), "sign-ups").verdict)
    assert verdicts == [Verdict.UNKNOWN, Verdict.PASS, Verdict.FAIL]
    before = gate(situation(Stage.B, facts=store.current(NOW)), Stage.B, Stage.C)
    assert before.verdict is Verdict.PASS
    assert before.digest != gate(situation(Stage.B, facts=store.current()), Stage.B, Stage.C).digest
