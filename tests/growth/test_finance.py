from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.revenue_plan import CONVERSION
from dreamseed.config.types import Stage
from dreamseed.growth.finance import (
    lifetime_value_usd,
    margin,
    payback_months,
    quick_ratio,
    revenue_usd,
    roi,
    runway_months,
)
from dreamseed.growth.parameters import GrowthError

POSITIVE = st.floats(0.01, 1e9)


def test_a_million_users_at_stage_e_bring_one_and_a_half_million_usd_a_month() -> None:
    assert revenue_usd(1_000_000, CONVERSION[Stage.E], 10) == 1_500_000


def test_the_ratios_of_stage_a_are_those_of_the_plan() -> None:
    assert (margin(500, 100), roi(500, 100)) == (0.8, 4.0)


def test_without_revenue_there_is_no_margin_and_without_cost_no_roi() -> None:
    assert margin(0, 100) is None
    assert roi(500, 0) is None


@pytest.mark.parametrize(("churn", "value"), [(0.08, 100), (0.05, 160), (0.03, 267)])
def test_the_lifetime_value_of_a_payer_is_10_usd_at_80_percent_over_churn(churn: float, value: int) -> None:
    assert round(lifetime_value_usd(10, 0.8, churn)) == value


def test_a_churn_of_0_has_no_lifetime_value() -> None:
    with pytest.raises(GrowthError) as refused:
        lifetime_value_usd(10, 0.8, 0)
    assert refused.value.where == "grow › churn"


@given(arpu=POSITIVE, gross=st.floats(0.01, 1), churn=st.floats(0.001, 1))
def test_the_lifetime_value_is_the_sum_of_what_is_left_of_a_cohort_each_month(
    arpu: float, gross: float, churn: float
) -> None:
    # Σ (1 − churn)^n over n ≥ 0 = 1/churn: after n months the rest of the sum is (1 − churn)^n of the whole.
    months = 60
    paid = sum(arpu * gross * (1 - churn) ** month for month in range(months))
    whole = lifetime_value_usd(arpu, gross, churn)
    assert paid == pytest.approx(whole * (1 - (1 - churn) ** months), rel=1e-9)


def test_what_a_payer_costs_is_back_after_cac_over_margin_months() -> None:
    assert payback_months(40, 10, 0.8) == 5
    assert payback_months(40, 0, 0.8) == math.inf


@pytest.mark.parametrize(
    ("new", "churned", "ratio"), [(100, 80, 1.25), (200, 50, 4), (10, 0, math.inf), (0, 0, None), (0, 5, 0)]
)
def test_the_quick_ratio_is_won_over_lost(new: float, churned: float, ratio: float | None) -> None:
    assert quick_ratio(new, churned) == ratio


def test_the_runway_is_cash_over_loss_and_has_no_end_without_loss() -> None:
    assert runway_months(12_000, -1_000) == 12
    assert runway_months(12_000, 0) == math.inf
    assert runway_months(-5, -1_000) == 0


@given(users=POSITIVE, low=st.floats(0, 1), high=st.floats(0, 1), price=POSITIVE)
def test_a_larger_conversion_never_brings_less(users: float, low: float, high: float, price: float) -> None:
    low, high = sorted((low, high))
    assert revenue_usd(users, low, price) <= revenue_usd(users, high, price)
