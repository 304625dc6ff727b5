from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.growth_scenarios import SCENARIOS, Scenario
from dreamseed.growth.ladder import entry_months
from dreamseed.growth.models import MOST_USERS, Model, Trajectories, survival_curves, trajectories
from dreamseed.growth.parameters import GrowthError, Parameters, single
from tests.growth.shipped import rungs

USERS = {Scenario.CONSERVATIVE: 1_608, Scenario.REALISTIC: 28_625, Scenario.OPTIMISTIC: 309_948}
ENTRIES = {
    Scenario.CONSERVATIVE: [0, 1, 117, 233, 314],
    Scenario.REALISTIC: [0, 1, 17, 33, 45],
    Scenario.OPTIMISTIC: [0, 1, 10, 20, 27],
}
ALIKE = 1e9
SLACK = 1e-6
"""A millionth of a user: rounding, where hardly anybody is left."""
# Up to 1.6 no model comes near the number of people within 24 months, where its formula is cut.
K, CHURN = st.floats(0.5, 1.6), st.floats(0.0, 1.0)


def grown(
    model: Model,
    months: int = 24,
    *,
    k: float = 1.2,
    churn: float = 0.05,
    cycle: float = 1.0,
    concentration: float = 4.5,
) -> Trajectories:
    values = {"users": 1_000.0, "k": k, "churn": churn, "cycle_months": cycle, "concentration": concentration}
    return trajectories(model, Parameters(**{name: np.array([value]) for name, value in values.items()}), months)


@pytest.mark.parametrize("scenario", Scenario)
def test_the_plans_formula_gives_the_plans_users_at_month_24(scenario: Scenario) -> None:
    users = trajectories(Model.PLAN, single(scenario, {}), 24).users[0]
    assert round(users[24]) == USERS[scenario]


@pytest.mark.parametrize("scenario", Scenario)
def test_the_plans_formula_agrees_with_exact_arithmetic_in_every_month(scenario: Scenario) -> None:
    facts = SCENARIOS[scenario]
    factor = 1 + (Fraction(str(facts.k.mode)) - 1) - Fraction(str(facts.churn.mode))
    users = trajectories(Model.PLAN, single(scenario, {}), 360).users[0]
    exact = [min(float(1_000 * factor**month), MOST_USERS) for month in range(361)]
    assert users == pytest.approx(exact, rel=1e-12)
    for threshold in (1_000, 10_000, 100_000, 500_000):
        first = next(month for month in range(361) if 1_000 * factor**month > threshold)
        assert int(np.argmax(users > threshold)) == first


@pytest.mark.parametrize("scenario", Scenario)
def test_each_stage_begins_in_the_month_that_the_plans_formula_says(scenario: Scenario) -> None:
    users = trajectories(Model.PLAN, single(scenario, {}), 360).sign_ups
    assert entry_months(rungs(), users)[:, 0].tolist() == ENTRIES[scenario]


@pytest.mark.parametrize(
    ("scenario", "sign_ups", "users", "begins"),
    [
        (Scenario.CONSERVATIVE, 98_347, 59_502, [7, 25, 41]),
        (Scenario.REALISTIC, 471_981, 380_475, [6, 16, 25]),
        (Scenario.OPTIMISTIC, 2_348_803, 2_136_891, [5, 13, 19]),
    ],
)
def test_the_viral_model_gives_the_fields_figures(
    scenario: Scenario, sign_ups: int, users: int, begins: list[int]
) -> None:
    found = trajectories(Model.VIRAL, single(scenario, {}), 60)
    assert (round(found.sign_ups[0, 24]), round(found.users[0, 24])) == (sign_ups, users)
    assert entry_months(rungs(), found.sign_ups)[2:, 0].tolist() == begins


def test_with_k_1_and_no_churn_nothing_changes_in_the_plan_and_the_viral_model_adds_as_many_each_cycle() -> None:
    assert set(grown(Model.PLAN, k=1, churn=0).users[0]) == {1_000}
    assert set(grown(Model.COHORT, k=1, churn=0).users[0]) == {1_000}
    viral = grown(Model.VIRAL, k=1, churn=0, cycle=2.0).users[0]
    assert viral.tolist() == pytest.approx([1_000 * (month / 2 + 1) for month in range(25)])


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_a_viral_k_below_1_ends_at_a_limit(k: float) -> None:
    sign_ups = grown(Model.VIRAL, 360, k=k, churn=0).sign_ups[0]
    assert sign_ups[-1] == pytest.approx(1_000 / (1 - k), rel=1e-9)
    assert (sign_ups <= 1_000 / (1 - k) * (1 + 1e-12)).all()


@given(k=st.floats(-1e-7, 1e-7).map(lambda offset: 1 + offset))
def test_the_viral_model_is_continuous_where_k_is_1(k: float) -> None:
    assert grown(Model.VIRAL, k=k).sign_ups[0] == pytest.approx(grown(Model.VIRAL, k=1).sign_ups[0], rel=1e-4)


@given(k=st.floats(1.0, 1.6), churn=CHURN)
def test_cohorts_of_users_who_are_all_alike_are_the_plans_formula(k: float, churn: float) -> None:
    cohort = grown(Model.COHORT, k=k, churn=churn, concentration=ALIKE).users[0]
    assert cohort == pytest.approx(grown(Model.PLAN, k=k, churn=churn).users[0], rel=1e-6, abs=SLACK)


@given(churn=st.floats(0.01, 0.9), concentration=st.floats(0.5, 50))
def test_the_survival_curve_is_the_beta_functions_of_fader_and_hardie(churn: float, concentration: float) -> None:
    alpha, beta = churn * concentration, (1 - churn) * concentration

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    exact = [math.exp(log_beta(alpha, beta + age) - log_beta(alpha, beta)) for age in range(13)]
    found = survival_curves(np.array([churn]), np.array([concentration]), 12)[0]
    assert found == pytest.approx(exact, rel=1e-9)


def test_the_survival_curve_fits_the_published_cohort() -> None:
    published = [1.0, 0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491, 0.468, 0.445, 0.427, 0.409, 0.394]
    found = survival_curves(np.array([0.67 / 4.49]), np.array([4.49]), 12)[0]
    assert np.abs(found - published).max() < 0.03


@pytest.mark.parametrize("model", Model)
@given(k=K)
def test_at_a_churn_of_1_only_those_who_came_this_month_are_there(model: Model, k: float) -> None:
    found = grown(model, k=k, churn=1, concentration=4.5)
    assert found.users[0, 1:] == pytest.approx(found.new[0, 1:], abs=SLACK)
    if k <= 1 and model is not Model.VIRAL:
        assert found.users[0, -1] == pytest.approx(0, abs=SLACK)


@pytest.mark.parametrize("model", Model)
@given(low=K, high=K, churn=CHURN)
def test_a_larger_k_never_brings_fewer_users(model: Model, low: float, high: float, churn: float) -> None:
    low, high = sorted((low, high))
    fewer, more = (grown(model, k=k, churn=churn) for k in (low, high))
    assert (more.sign_ups >= fewer.sign_ups * (1 - 1e-9) - SLACK).all()
    assert (more.users >= fewer.users * (1 - 1e-9) - SLACK).all()


@pytest.mark.parametrize("model", Model)
@given(k=K, low=CHURN, high=CHURN)
def test_a_larger_churn_never_keeps_more_users(model: Model, k: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    kept, lost = (grown(model, k=k, churn=churn) for churn in (low, high))
    assert (kept.users >= lost.users * (1 - 1e-9) - SLACK).all()


@pytest.mark.parametrize("model", Model)
@given(k=K, churn=CHURN)
def test_users_are_those_of_the_month_before_plus_the_new_minus_the_lost(model: Model, k: float, churn: float) -> None:
    found = grown(model, k=k, churn=churn)
    balance = found.users[0, :-1] + found.new[0, 1:] - found.churned[0, 1:]
    assert found.users[0, 1:] == pytest.approx(balance, rel=1e-9, abs=SLACK)
    assert (found.users >= 0).all()
    assert (found.churned >= 0).all()


@pytest.mark.parametrize("model", Model)
def test_the_steepest_growth_is_cut_and_stays_a_number(model: Model) -> None:
    found = grown(model, 360, k=10, churn=0, cycle=0.1)
    assert np.isfinite(found.users).all()
    assert found.sign_ups.max() == pytest.approx(MOST_USERS)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("churn", 1.2, "0 to 1"),
        ("churn", -0.1, "0 to 1"),
        ("k", 0.0, "0.01 to 10"),
        ("cycle_months", 0.0, "0.1 to 24"),
        ("users", 0.0, "1 to 1e+08"),
        ("users", math.nan, "1 to 1e+08"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_with_the_range(name: str, value: float, remedy: str) -> None:
    with pytest.raises(GrowthError) as refused:
        single(Scenario.REALISTIC, {name: value})
    assert refused.value.where == f"grow › {name}"
    assert refused.value.remedy == remedy
