from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.config import StageConfig, merge, parse_stage
from dreamseed.cost import estimate
from dreamseed.cost.fit import FitResult, Knob, Option, Setting, fit
from dreamseed.cost.fit.knobs import KNOBS
from dreamseed.cost.fit.option import no_worse
from dreamseed.cost.fit.setting import HOURS_PER_DAY, written
from dreamseed.errors import ConfigErrors, PlanError
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.stage_plan import StagePlan
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import configured

SOURCE = KNOBS[0].provenance
STAGES = ("stage-a", "stage-b", "stage-c")


@functools.cache
def found(stage: str, budget_usd: float) -> FitResult:
    return fit(configured(stage), stage, budget_usd, today=TODAY)


def changed(config: StageConfig, change: Mapping[str, Any]) -> StageConfig:
    return parse_stage(config.model_dump(mode="json"), change, "trial")


def by_hand(config: StageConfig, option: Option) -> float:
    """What the estimator says of the option's parts, planned here and now."""
    day: dict[str, Any] = {}
    night: dict[str, Any] = {}
    for setting in option.settings:
        day = merge(day, setting.change)
        night = merge(night, setting.night or setting.change)
    hours = [part.hours for part in option.parts]
    assert sum(hours) == HOURS_PER_DAY
    plans = [plan_stage(changed(config, each), "trial") for each in ((day, night) if len(hours) == 2 else (day,))]
    return sum(
        estimate(plan, today=TODAY).total.expected * share / HOURS_PER_DAY
        for plan, share in zip(plans, hours, strict=True)
    )


def knob(name: str, *options: Setting, structural: bool = False) -> Knob:
    return Knob(name=name, settings=lambda _: options, provenance=SOURCE, structural=structural)


def setting(loss: float, **change: Any) -> Setting:
    return Setting(change=change, losses=(loss,), gives_up=str(loss) if loss else "")


SMALL = (
    knob("edge", setting(0, edge={"plan": "business"}), setting(1, edge={"plan": "pro"})),
    knob("warm", setting(0), setting(1, api={"min_instances": 1}), setting(2, api={"min_instances": 0})),
    knob("recovery", setting(0), setting(1, disaster_recovery={"kind": "none"}), structural=True),
)


@settings(deadline=None, max_examples=20)
@given(stage=st.sampled_from(STAGES), budget_usd=st.sampled_from((100.0, 320.0, 700.0)), data=st.data())
def test_every_option_is_within_the_budget_and_priced_by_the_estimator(
    stage: str, budget_usd: float, data: st.DataObject
) -> None:
    front = found(stage, budget_usd).front
    if front:
        option = data.draw(st.sampled_from(front))
        assert round(option.total.expected, 2) <= budget_usd
        assert option.total.expected == pytest.approx(by_hand(configured(stage), option) + option.clock.expected)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("budget_usd", [100.0, 320.0, 700.0])
def test_no_option_of_the_front_is_dominated(stage: str, budget_usd: float) -> None:
    for one, other in itertools.permutations(found(stage, budget_usd).front, 2):
        cheaper = round(one.total.expected, 2) <= round(other.total.expected, 2)
        assert not (cheaper and no_worse(one.losses, other.losses))


def exhaustive(config: StageConfig, budget_usd: float) -> set[tuple[str, ...]]:
    """The front of the small space, by planning and pricing all of it."""
    legal: dict[tuple[str, ...], tuple[float, tuple[float, ...]]] = {}
    for chosen in itertools.product(*(each.settings(config) for each in SMALL)):
        change: dict[str, Any] = functools.reduce(lambda low, one: merge(low, one.change), chosen, {})
        try:
            plan = plan_stage(changed(config, change), "trial")
        except (PlanError, ConfigErrors):
            continue
        usd = round(estimate(plan, today=TODAY).total.expected, 2)
        if usd <= budget_usd:
            legal[tuple(written(change))] = (usd, tuple(one.losses[0] for one in chosen))
    return {
        key
        for key, (usd, losses) in legal.items()
        if not any(
            other != (usd, losses) and other[0] <= usd and no_worse(other[1], losses) for other in legal.values()
        )
    }


@pytest.mark.parametrize("budget_usd", [800.0, 1_300.0, 2_000.0])
def test_a_small_space_has_the_front_that_trying_everything_finds(budget_usd: float) -> None:
    config = configured("stage-d")
    result = fit(config, "stage-d", budget_usd, knobs=SMALL, today=TODAY)
    assert result.combinations == 12
    assert {tuple(option.written) for option in result.front} == exhaustive(config, budget_usd)


def test_a_stage_that_fits_as_it_is_gives_up_nothing() -> None:
    (kept,) = found("stage-a", 100).keeping_most
    assert (kept.gives_up, tuple(kept.written)) == ((), ())
    assert kept.total.expected == pytest.approx(shipped_estimate("stage-a").total.expected)


def test_where_nothing_fits_the_cheapest_is_named_with_what_is_missing() -> None:
    result = found("stage-c", 100)
    assert result.front == result.keeping_most == ()
    assert result.cheapest is not None
    assert result.missing_usd == pytest.approx(result.cheapest.total.expected - 100)
    assert result.missing_usd > 0


def test_the_cheapest_of_all_is_the_cheapest_of_the_front() -> None:
    result = found("stage-c", 700)
    assert result.cheapest == min(result.front, key=lambda option: option.total.expected)
    assert result.missing_usd == 0


def slow_rate_limit() -> StageConfig:
    """A stage whose rate limit counts over 60 s, which the Free plan does not allow."""
    return configured("stage-b", {"edge": {"rate_limit_period_seconds": 60}})


def illegal(result: FitResult) -> list[Option]:
    """The options that planning refuses."""

    def refused(option: Option) -> bool:
        try:
            by_hand(slow_rate_limit(), option)
        except PlanError:
            return True
        return False

    return [option for option in result.front if refused(option)]


def test_an_option_that_an_invariant_refuses_is_no_option() -> None:
    result = fit(slow_rate_limit(), "stage-b", 400, today=TODAY)
    assert result.front
    assert illegal(result) == []
    assert any("rate_limit_period_seconds" in refusal.reason for refusal in result.refused)


def test_a_search_that_skips_planning_would_offer_illegal_options() -> None:
    """The mutant of the test above: a planner that takes the plan of the file for every configuration."""
    plan = plan_stage(slow_rate_limit(), "stage-b")

    def unchecked(config: StageConfig, _: str) -> StagePlan:
        return replace(plan, config=config)

    assert illegal(fit(slow_rate_limit(), "stage-b", 400, today=TODAY, planner=unchecked))


def test_an_option_without_a_price_is_no_option() -> None:
    without = PriceBook(price for price in BOOK if price.sku != "cloudflare-free")
    result = fit(configured("stage-b"), "stage-b", 170, book=without, today=TODAY)
    assert all("edge.plan=free" not in option.written for option in result.front)
    assert any("cloudflare-free" in refusal.reason for refusal in result.refused)


def test_other_warm_instances_at_night_cost_their_share_of_the_day() -> None:
    night = Setting(
        change={"api": {"min_instances": 2}}, night={"api": {"min_instances": 0}}, losses=(0,), gives_up="nights"
    )
    result = fit(configured("stage-c"), "stage-c", 10_000, knobs=(knob("warm", night),), today=TODAY)
    (option,) = result.front
    day, dark = (
        estimate(plan_stage(configured("stage-c", {"api": {"min_instances": count}}), "c"), today=TODAY).total.expected
        for count in (2, 0)
    )
    assert option.total.expected == pytest.approx((16 * day + 8 * dark) / 24)
    assert tuple(option.written) == (
        "api.min_instances=2 from 08:00 to 24:00",
        "api.min_instances=0 from 00:00 to 08:00",
    )


def test_all_of_what_is_priced_on_a_shared_plan_costs_the_same_on_its_own() -> None:
    """Knobs that are not structural change nothing but the configuration that prices are computed from."""
    config = configured("stage-d")
    for each in KNOBS:
        plain = [one for one in each.settings(config) if one.night is None]
        one_knob = knob(each.name, *plain, structural=each.structural)
        result = fit(config, "stage-d", 10_000, knobs=(one_knob,), today=TODAY)
        for option in result.front:
            assert option.total.expected == pytest.approx(by_hand(config, option))
        prices = sorted(round(option.total.expected, 2) for option in result.front)
        assert prices == [round(option.total.expected, 2) for option in result.front], "taken cheapest first"


def test_where_nothing_fits_the_load_that_would_is_the_largest_at_which_the_cheapest_is_within_the_budget() -> None:
    result = found("stage-c", 290)
    fitting, cheapest = result.load_factor_that_fits, result.cheapest
    assert fitting is not None
    assert cheapest is not None
    assert 0 < fitting < configured("stage-c").usage.load_factor.expected
    assert cheapest.expected_usd_at(fitting) <= 290 < cheapest.expected_usd_at(fitting + 0.001)
    load = {"low": 0, "expected": fitting, "high": 1}
    plan = plan_stage(changed(cheapest.parts[0].estimate.plan.config, {"usage": {"load_factor": load}}), "trial")
    assert estimate(plan, today=TODAY).total.expected == pytest.approx(cheapest.expected_usd_at(fitting))


def test_where_not_even_a_load_factor_of_0_fits_none_is_named() -> None:
    assert found("stage-c", 50).load_factor_that_fits is None


def test_an_option_with_other_warm_instances_at_night_costs_at_its_own_load_what_it_costs() -> None:
    option = next(each for each in found("stage-c", 600).front if len(each.parts) == 2)
    assert option.expected_usd_at(configured("stage-c").usage.load_factor.expected) == pytest.approx(
        option.total.expected
    )
