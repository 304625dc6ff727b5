from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamseed.catalog.growth_scenarios import GPU_LEAD_TIME_DAYS, SCENARIOS, Scenario, Triangular
from dreamseed.growth.models import Model
from dreamseed.growth.parameters import GrowthError
from dreamseed.growth.simulation import Simulation, simulate, triangular_inverse
from dreamseed.growth.timing import percentiles
from tests.growth.shipped import rungs


def run(seed: int = 1, runs: int = 200, model: Model = Model.PLAN, **known: float) -> Simulation:
    return simulate(model, Scenario.REALISTIC, known, rungs(), months=60, runs=runs, seed=seed)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    first, again, other = run(7), run(7), run(8)
    assert np.array_equal(first.trajectories.users, again.trajectories.users)
    assert np.array_equal(first.gpu_lead_days, again.gpu_lead_days)
    assert not np.array_equal(first.trajectories.users, other.trajectories.users)


def test_the_numbers_of_a_seed_are_these_on_every_machine() -> None:
    assert run(1, runs=3).gpu_lead_days.round(6).tolist() == [34.715071, 58.939332, 33.631289]


def test_what_is_known_is_not_drawn_and_leaves_the_other_draws_alone() -> None:
    free, known = run(), run(churn=0.05, k=1.2)
    assert np.unique(known.trajectories.users[:, 24]).size == 1
    assert round(known.trajectories.users[0, 24]) == 28_625
    assert np.array_equal(free.gpu_lead_days, known.gpu_lead_days)


@pytest.mark.parametrize("model", Model)
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_percentiles_are_in_order_and_stages_follow_each_other(model: Model, seed: int) -> None:
    found = run(seed, runs=30, model=model)
    for entries in found.entries:
        p10, p50, p90 = percentiles(entries)
        assert p10 <= p50 <= p90
    assert (found.entries[:-1] <= found.entries[1:]).all()


def test_a_stage_that_most_runs_never_reach_is_never_reached_at_the_median() -> None:
    assert percentiles(np.array([5.0, 7.0, math.inf, math.inf, math.inf])) == (5, math.inf, math.inf)


@given(uniform=st.floats(0, 1))
def test_the_inverse_of_a_triangle_stays_inside_and_is_the_inverse(uniform: float) -> None:
    one = Triangular(low=1, mode=2, high=5, reason="", provenance=SCENARIOS[Scenario.REALISTIC].k.provenance)
    value = float(triangular_inverse(one, np.array([uniform]))[0])
    assert 1 <= value <= 5
    below = (value - 1) ** 2 / (4 * 1) if value < 2 else 1 - (5 - value) ** 2 / (4 * 3)
    assert below == pytest.approx(uniform, abs=1e-9)


def test_lead_times_are_between_the_shortest_and_the_longest() -> None:
    days = run(runs=2_000).gpu_lead_days
    assert days.min() >= GPU_LEAD_TIME_DAYS.low
    assert days.max() <= GPU_LEAD_TIME_DAYS.high
    expected = (GPU_LEAD_TIME_DAYS.low + GPU_LEAD_TIME_DAYS.mode + GPU_LEAD_TIME_DAYS.high) / 3
    assert days.mean() == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("runs", [0, 20_001])
def test_too_few_or_too_many_runs_are_refused(runs: int) -> None:
    with pytest.raises(GrowthError) as refused:
        run(runs=runs)
    assert refused.value.where == "grow › runs"


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(GrowthError) as refused:
        run(-1)
    assert refused.value.where == "grow › seed"
