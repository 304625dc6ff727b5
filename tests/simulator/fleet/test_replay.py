from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from dreamseed.errors import PlanError
from simulator.fleet.outcome import Ledger, Minute, Outcome
from simulator.fleet.replay import SCALERS, Setting, controls, replay, setting
from simulator.fleet.report import BASELINES, data, goal, markdown
from simulator.fleet.traces import SOURCES, Part, Trace, arrivals, trace
from tests.simulator.fleet.stages import plan


def made(rates: list[float], variation: float = 1.0) -> Trace:
    parts = tuple(Part(600.0 * number, 600.0, rate, 800.0, 60.0) for number, rate in enumerate(rates))
    return Trace("made", variation, parts)


@pytest.fixture(scope="module")
def peak() -> Setting:
    """Two hours whose second half is a little more than the owners' engines serve."""
    found = setting(plan(), made([1.0] * 12))
    own = sum(found.rates)
    rates = [0.4 * own] * 4 + [1.05 * own] * 6 + [0.3 * own] * 6
    return Setting(**{**vars(found), "trace": made(rates)})


@pytest.mark.parametrize("name", SOURCES)
def test_every_trace_is_there_with_requests_and_lengths(name: str) -> None:
    found = trace(name)
    assert found.seconds >= 3_400
    assert all(one.prompt_tokens > 0 and one.answer_tokens >= 1 for one in found.parts)
    assert sum(one.rate for one in found.parts) > 0


def test_a_trace_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(PlanError, match="one of conversation-hour, code-hour"):
        trace("weekend")


@pytest.mark.parametrize("variation", [1.0, 3.0])
def test_requests_come_as_often_and_as_unevenly_as_told(variation: float) -> None:
    found = list(arrivals(made([5.0] * 12, variation), 4_096, 0))
    assert len(found) == pytest.approx(5 * 7_200, rel=0.03 * variation)
    gaps = [later.arrived_at - earlier.arrived_at for earlier, later in pairwise(found)]
    assert min(gaps) >= 0
    assert pstdev(gaps) / fmean(gaps) == pytest.approx(variation, rel=0.06)
    assert fmean(one.prompt for one in found) == pytest.approx(800, rel=0.1), "the longest are cut"
    assert max(one.prompt + one.answer for one in found) <= 4_096


def test_the_same_seed_draws_the_same_requests() -> None:
    def drawn(seed: int) -> list[tuple[float, float, float]]:
        return [(one.arrived_at, one.prompt, one.answer) for one in arrivals(made([2.0]), 4_096, seed)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_trace_is_scaled_so_that_all_but_its_busiest_hundredth_is_served() -> None:
    found = setting(plan(), trace("images"))
    assert found.trace.rate_at(0.99) == pytest.approx(sum(found.rates))


def test_a_stage_without_workers_is_refused() -> None:
    with pytest.raises(PlanError, match="the stage has no spot workers"):
        setting(plan("stage-a"), made([1.0]))


@pytest.mark.parametrize("name", SCALERS)
def test_a_replay_is_the_same_each_time_and_loses_no_request(name: str, peak: Setting) -> None:
    first, again = replay(peak, name), replay(peak, name)
    assert data([first]) == data([again])
    assert sum(one.requests for one in first.minutes) == first.requests
    assert first.requests > 10_000


def test_workers_shorten_a_peak_and_cost_money(peak: Setting) -> None:
    alone, ours = replay(peak, "none"), replay(peak, "ours")
    assert ours.launched
    assert ours.usd > 0 == alone.usd
    assert sum(one.late * one.requests for one in ours.minutes) < 0.9 * sum(
        one.late * one.requests for one in alone.minutes
    )


def test_ours_never_spends_more_than_its_cap(peak: Setting) -> None:
    poor = peak.policy.model_copy(update={"spending": peak.policy.spending.model_copy(update={"cap_usd_per_month": 6})})
    assert replay(Setting(**{**vars(peak), "policy": poor}), "ours").usd <= 6


def test_every_autoscaler_is_built_for_every_setting(peak: Setting) -> None:
    assert tuple(controls(peak)) == SCALERS


def test_a_minute_counts_as_late_what_waited_longer_than_five_seconds() -> None:
    ledger = Ledger()
    requests = list(arrivals(made([0.2]), 4_096, 0))[:10]
    for number, one in enumerate(requests):
        one.arrived_at = float(number)
        one.first_at, one.ended_at = number + (6.0 if number < 2 else 1.0), number + (7.0 if number < 5 else 2.0)
        ledger.came(one)
    ledger.close(59.0)
    assert not ledger.minutes, "the minute is not over"
    ledger.close(61.0)
    assert ledger.minutes == [Minute(0, 10, 0.2, 0.5, 0.0)]


def test_a_request_that_never_ends_is_late() -> None:
    ledger = Ledger()
    (one,) = list(arrivals(made([0.2]), 4_096, 0))[:1]
    one.arrived_at = 0.0
    ledger.came(one)
    ledger.close(7_200.0)
    assert ledger.minutes[0].late == 1.0
    assert math.isinf(one.ended_at)


@pytest.mark.parametrize(
    ("minutes", "usd", "verdict"),
    [(3, 8.0, "reached"), (3, 8.1, "missed"), (2, 10.0, "reached"), (2, 10.1, "missed"), (4, 0.0, "missed")],
)
def test_the_goal_is_held_to_the_best_of_the_four(minutes: int, usd: float, verdict: str) -> None:
    def outcome(name: str, late: int, cost: float) -> Outcome:
        found = [Minute(at, 1, float(at < late), 0.0, 0.0) for at in range(20)]
        return Outcome(scaler=name, stage="s", trace="t", factor=1, usd=cost, minutes=found)

    others = [outcome(name, 3 + place, 10.0) for place, name in enumerate(BASELINES)]
    found = goal([outcome("ours", minutes, usd), *others])
    assert found is not None
    assert found.startswith(verdict)
    assert goal(others) is None


def test_the_table_of_all_runs_has_a_row_for_each_trace_at_each_stage() -> None:
    runs = data(
        [
            Outcome(
                scaler=name, stage=stage, trace="images", factor=1, usd=usd, actions=4, minutes=[Minute(0, 1, 1, 1, 0)]
            )
            for stage in ("stage-c", "stage-d")
            for name, usd in (("ours", 1.5), ("HPA", 2.0))
        ]
    )
    assert markdown(runs).splitlines() == [
        "| trace, stage | minutes | ours | HPA |",
        "| --- | ---: | ---: | ---: |",
        "| images, C | 1 | 1 · 1.50 · 4 | 1 · 2.00 · 4 |",
        "| images, D | 1 | 1 · 1.50 · 4 | 1 · 2.00 · 4 |",
    ]
