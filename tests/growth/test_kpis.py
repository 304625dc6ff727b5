from __future__ import annotations

import math

import pytest

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.catalog.revenue_plan import CHURN, GROWTH
from dreamseed.growth.kpis import Kpi
from dreamseed.growth.money import Assumptions
from tests.growth.shipped import forecast_of


def met(scenario: Scenario, **asked: object) -> dict[str, bool | None]:
    return {kpi.target.name: kpi.met for kpi in forecast_of(scenario, **asked).kpis}


def test_the_realistic_scenario_stands_exactly_on_the_plans_targets_and_so_misses_them() -> None:
    found = met(Scenario.REALISTIC)
    assert (found["growth a month"], found["K"], found["churn a month"]) == (False, False, False)


def test_a_hair_of_rounding_decides_nothing() -> None:
    assert Kpi(target=GROWTH, value=0.15 + 1e-12).met is False
    assert Kpi(target=GROWTH, value=0.1501).met is True
    assert Kpi(target=CHURN, value=0.05 - 1e-12).met is False


def test_the_optimistic_scenario_meets_growth_k_and_churn_and_the_conservative_none_of_them() -> None:
    names = ("growth a month", "K", "churn a month")
    assert [met(Scenario.OPTIMISTIC)[name] for name in names] == [True, True, True]
    assert [met(Scenario.CONSERVATIVE)[name] for name in names] == [False, False, False]


@pytest.mark.parametrize("scenario", Scenario)
def test_an_arpu_above_10_cannot_be_met_at_a_price_of_10(scenario: Scenario) -> None:
    assert met(scenario)["ARPU"] is False


def test_what_needs_a_cac_is_unknown_without_one() -> None:
    assert met(Scenario.REALISTIC)["LTV/CAC"] is None
    assert met(Scenario.REALISTIC, assumed=Assumptions(cac_usd_per_payer=53))["LTV/CAC"] is True
    assert met(Scenario.REALISTIC, assumed=Assumptions(cac_usd_per_payer=54))["LTV/CAC"] is False


def test_a_payer_may_cost_a_third_of_the_lifetime_value() -> None:
    limits = [forecast_of(scenario).one.cac_limit_usd for scenario in Scenario]
    assert [round(limit or 0) for limit in limits] == [33, 53, 89]


def test_the_quick_ratio_of_the_plans_model_is_k_minus_1_over_churn() -> None:
    ratios = [forecast_of(scenario).one.quick_ratio for scenario in Scenario]
    assert ratios == pytest.approx([0.1 / 0.08, 0.2 / 0.05, 0.3 / 0.03])


def test_a_loss_without_known_cash_leaves_the_runway_unknown() -> None:
    def runway(**asked: float) -> tuple[float | None, bool | None]:
        kpi = forecast_of(months=1, assumed=Assumptions(**asked)).kpis[-1]
        return kpi.value, kpi.met

    assert runway() == (math.inf, True)
    assert runway(fixed_usd_per_month=1_000_000) == (None, None)
    value, enough = runway(fixed_usd_per_month=10_000, cash_usd=30_000)
    # After months 0 and 1 there are 30,000 − 9,600 − 9,260 left, and month 1 lost 10,000 − (920 − 180).
    assert value == pytest.approx((30_000 - 9_600 - 9_260) / 9_260)
    assert enough is False
