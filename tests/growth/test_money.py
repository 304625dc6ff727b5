from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.config.types import Stage
from dreamseed.growth.models import Model, trajectories
from dreamseed.growth.money import Assumptions, months_money, stage_money
from dreamseed.growth.parameters import GrowthError, Parameters
from tests.growth.shipped import rungs


def flat(users: float) -> Parameters:
    values = {"users": users, "k": 1.2, "churn": 0.05, "cycle_months": 1.0, "concentration": 4.5}
    return Parameters(**{name: np.array([value]) for name, value in values.items()})


def test_the_plans_stages_bring_what_its_own_formula_says() -> None:
    stages = [stage_money(rung, 0.05, 10) for rung in rungs()]
    assert [one.revenue_usd for one in stages] == [500, 8_000, 100_000, 600_000, 1_500_000]
    assert [one.cost_usd for one in stages] == [100, 180, 290, 500, 800]
    assert [f"{one.margin:.3f}" for one in stages] == ["0.800", "0.978", "0.997", "0.999", "0.999"]
    assert [one.arpu_usd for one in stages] == pytest.approx([0.5, 0.8, 1.0, 1.2, 1.5])
    assert [one.cost_per_user_usd for one in stages] == pytest.approx([0.1, 0.018, 0.0029, 0.001, 0.0008])
    assert [one.lifetime_value_usd for one in stages] == pytest.approx([8, 12.8, 16, 19.2, 24])


def test_twice_the_cost_needs_more_of_the_daily_active_than_stage_a_is_planned_to_convert() -> None:
    a = stage_money(rungs()[0], 0.05, 10)
    assert a.conversion_for_gate == pytest.approx(0.02)
    assert a.conversion_for_gate_of_daily_active == pytest.approx(2 * 100 / (300 * 10))
    assert a.conversion_for_gate_of_daily_active is not None
    assert a.conversion_for_gate_of_daily_active > a.conversion


def test_without_churn_or_price_what_divides_by_them_is_unknown() -> None:
    free = stage_money(rungs()[0], 0, 0)
    assert (free.lifetime_value_usd, free.conversion_for_gate, free.margin) == (None, None, None)


def test_a_month_is_users_times_conversion_times_price_minus_all_that_is_spent() -> None:
    grown = trajectories(Model.PLAN, flat(1_000), 2)
    assumed = Assumptions(cac_usd_per_payer=20, fixed_usd_per_month=300, cash_usd=1_000)
    month = list(months_money(grown, rungs(), assumed, 1))[1]
    assert (month.stage, round(month.users), round(month.new_users), round(month.churned_users)) == (
        *(Stage.B, 1_150),
        *(200, 50),
    )
    assert month.revenue_usd == pytest.approx(1_150 * 0.08 * 10)
    assert month.acquisition_usd == pytest.approx(200 * 0.08 * 20)
    assert month.profit_usd == pytest.approx(920 - 180 - 320 - 300)
    assert month.roi == pytest.approx(120 / 800)
    # Month 0: 1,000 × 5 % × 10 − 100 − 300.
    assert month.cash_usd == pytest.approx(1_000 + 100 + 120)


def test_without_cash_at_the_start_no_cash_is_made_up() -> None:
    months = months_money(trajectories(Model.PLAN, flat(1_000), 2), rungs(), Assumptions(), 2)
    assert {month.cash_usd for month in months} == {None}


@given(users=st.floats(1, 1e6), low=st.floats(0, 1_000), high=st.floats(0, 1_000))
def test_a_larger_cac_never_leaves_more_profit(users: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    grown = trajectories(Model.PLAN, flat(users), 6)
    dear, cheap = (
        [month.profit_usd for month in months_money(grown, rungs(), Assumptions(cac_usd_per_payer=cac), 6)]
        for cac in (high, low)
    )
    assert all(less <= more for less, more in zip(dear, cheap, strict=True))


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"price_usd_per_month": -1.0}, "grow › price"),
        ({"cac_usd_per_payer": float("nan")}, "grow › cac"),
        ({"fixed_usd_per_month": -5.0}, "grow › fixed-costs"),
        ({"cash_usd": float("inf")}, "grow › cash"),
    ],
)
def test_an_amount_that_is_none_is_refused(asked: dict[str, float], where: str) -> None:
    with pytest.raises(GrowthError) as refused:
        Assumptions(**asked)
    assert refused.value.where == where
