from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.config.types import Stage
from dreamseed.growth.models import Model
from dreamseed.growth.parameters import GrowthError
from tests.growth.shipped import forecast_of


@pytest.mark.parametrize(("scenario", "within"), list(zip(Scenario, (Stage.B, Stage.C, Stage.D), strict=True)))
def test_within_24_months_each_scenario_reaches_one_stage_more(scenario: Scenario, within: Stage) -> None:
    found = forecast_of(scenario)
    assert found.months[-1].stage is within
    assert len(found.months) == len(found.users) == 25


def test_stages_beyond_the_shown_months_are_dated_too() -> None:
    entries = forecast_of(Scenario.CONSERVATIVE, months=1).entries
    assert [entry.month for entry in entries] == [0, 1, 117, 233, 314]
    assert entries[-1].begins_on == date(2053, 2, 1)


def test_orders_are_the_likely_lead_time_before_a_stage_and_there_are_none_for_the_first() -> None:
    entries = forecast_of().entries
    assert (entries[0].order_by, entries[0].new_gpus) == (None, 0)
    assert entries[1].order_by == date(2026, 12, 2)
    assert (entries[4].new_gpus, entries[4].new_servers) == (1, 1)
    assert entries[4].begins_on is not None
    assert entries[4].order_by is not None
    assert (entries[4].begins_on - entries[4].order_by).days == 45


@pytest.mark.parametrize("model", Model)
@pytest.mark.parametrize("scenario", Scenario)
def test_percentiles_of_users_months_and_days_are_in_order(model: Model, scenario: Scenario) -> None:
    found = forecast_of(scenario, model=model)
    for spread in found.users:
        assert spread.p10 is not None
        assert spread.p50 is not None
        assert spread.p90 is not None
        assert spread.p10 <= spread.p50 <= spread.p90
    for entry in found.entries[1:]:
        for three in (entry.months, entry.order_days):
            known = [value for value in (three.p10, three.p50, three.p90) if value is not None]
            assert known == sorted(known)


def test_a_service_that_shrinks_reaches_no_stage_and_orders_nothing() -> None:
    entries = forecast_of(known={"k": 1.0, "churn": 0.1}).entries
    for entry in entries[1:]:
        assert (entry.month, entry.begins_on, entry.order_by, entry.months.p10) == (None, None, None, None)
        assert (entry.share_of_runs, entry.order_days.p50) == (0, None)


def test_the_same_request_gives_an_equal_forecast() -> None:
    assert forecast_of(seed=3) == forecast_of(seed=3)
    assert forecast_of(seed=3).users != forecast_of(seed=4).users


@pytest.mark.parametrize("months", [0, -1, 361])
def test_months_out_of_range_are_refused(months: int) -> None:
    with pytest.raises(GrowthError) as refused:
        forecast_of(months=months)
    assert (refused.value.where, refused.value.remedy) == ("grow › months", "1 to 360")


def notes(**asked: Any) -> str:
    return " ".join(forecast_of(**asked).notes)


@pytest.mark.parametrize("model", Model)
def test_every_forecast_names_the_k_it_used_and_the_plans_wrong_revenue(model: Model) -> None:
    said = notes(model=model)
    assert f"model {model}: K" in said
    assert "1.5 M" in said


def test_stages_that_begin_together_and_users_beyond_the_last_stage_are_pointed_out() -> None:
    said = notes(model=Model.VIRAL, known={"k": 10.0})
    assert "begin in the same month" in said
    assert "more than the 1,000,000" in said
    assert "cut at 10,000,000,000" in said
    assert "begin in the same month" not in notes()


def test_churn_0_is_allowed_and_leaves_the_lifetime_value_unknown() -> None:
    found = forecast_of(known={"churn": 0.0})
    assert (found.one.lifetime_value_usd, found.one.cac_limit_usd) == (None, None)
    assert found.one.quick_ratio == float("inf")
