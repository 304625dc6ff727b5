from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.cost import estimate
from dreamseed.cost.estimate import expected_usd
from dreamseed.cost.quantities.use import Month, usage_ranges
from dreamseed.cost.sensitivity import tornado
from dreamseed.interval import Interval, Scenario
from tests.cost.estimates import TODAY, estimated, shipped_estimate
from tests.planning.stages import STAGE_NAMES, shipped

RANGES = usage_ranges()


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_line_is_negative_and_the_total_is_their_sum(stage: str) -> None:
    found = shipped_estimate(stage)
    assert [line.name for line in found.lines if line.usd.low < 0] == []
    for scenario in Scenario:
        assert found.total.at(scenario) == pytest.approx(sum(line.usd.at(scenario) for line in found.lines))


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_gross_minus_what_is_taken_off_is_what_a_line_costs(stage: str) -> None:
    for line in shipped_estimate(stage).lines:
        assert line.gross_usd.expected - line.taken_off_usd == pytest.approx(line.usd.expected)
        assert line.taken_off_usd >= -1e-9


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_name_stands_on_two_lines(stage: str) -> None:
    names = [line.name for line in shipped_estimate(stage).lines]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_expected_total_alone_is_that_of_the_whole_estimate(stage: str) -> None:
    plan = shipped(stage)
    assert expected_usd(plan, plan.config.usage) == pytest.approx(shipped_estimate(stage).total.expected)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STAGE_NAMES), st.sampled_from(RANGES), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_more_use_never_costs_less(stage: str, name: str, places: list[float]) -> None:
    plan = shipped(stage)
    known = Month(plan=plan, usage=plan.config.usage).interval(name)
    less, more = (known.low + place * known.spread for place in sorted(places))
    cheap, dear = (expected_usd(plan, plan.config.usage, replaced={name: figure}) for figure in (less, more))
    assert cheap <= dear + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STAGE_NAMES), st.dictionaries(st.sampled_from(RANGES), st.floats(0, 1), max_size=6))
def test_any_usage_within_its_ranges_costs_between_low_and_high(stage: str, places: dict[str, float]) -> None:
    plan = shipped(stage)
    month = Month(plan=plan, usage=plan.config.usage)
    replaced = {name: month.interval(name).low + place * month.interval(name).spread for name, place in places.items()}
    total = shipped_estimate(stage).total
    assert total.low - 1e-6 <= expected_usd(plan, plan.config.usage, replaced=replaced) <= total.high + 1e-6


def test_cost_a_user_and_headroom_are_those_of_the_total() -> None:
    found = shipped_estimate("stage-c")
    assert found.per_user.expected == pytest.approx(found.total.expected / 100_000)
    assert found.headroom_usd() == pytest.approx(290 - found.total.expected)
    assert found.headroom_usd(Scenario.HIGH) < found.headroom_usd(Scenario.LOW)


def test_cards_are_in_a_column_of_their_own_and_in_no_total() -> None:
    found = shipped_estimate("stage-c")
    assert found.hardware_total.expected == pytest.approx(3 * 1_999 / 36)
    assert not {line.name for line in found.hardware} & {line.name for line in found.lines}
    longer = estimated("stage-c", {"usage": {"gpu_lifetime_months": 72}})
    assert longer.total == found.total
    assert longer.hardware_total.expected == pytest.approx(3 * 1_999 / 72)


def test_electricity_by_hand_at_stage_a() -> None:
    usd = sum(line.usd.expected for line in shipped_estimate("stage-a").lines if line.name.startswith("electricity"))
    assert usd == pytest.approx((400 + 150) / 1_000 * 730 * 0.12)  # 47.5 for the plan's 720 h


def test_a_stopped_cloud_sql_pays_for_its_disk_and_for_the_hours_of_its_loads() -> None:
    lines = {line.name: line.usd.expected for line in shipped_estimate("stage-d").lines}
    hours = 730 / 24 * 0.5
    assert lines["Cloud SQL zonal, CPU"] == pytest.approx(2 * hours * 0.0413)
    assert lines["Cloud SQL zonal, disk"] == pytest.approx(50 * 0.17)
    assert "Cloud SQL backups" not in lines


def test_a_disaster_adds_the_restore_machine_and_a_load_balancer_its_rule() -> None:
    before = {line.name for line in shipped_estimate("stage-d").lines}
    lasting = {line.name for line in estimated("stage-d", {"disaster_recovery": {"active": True}}).lines}
    assert {"restore VM, CPU", "restore VM, data disk", "NAT gateway", "Cloud SQL backups"} <= lasting - before
    balanced = {line.name for line in estimated("stage-d", {"api": {"exposure": "load_balancer"}}).lines}
    assert balanced - before == {"load balancer", "load balancer, data"}


def test_the_industrial_tariff_adds_contracted_power() -> None:
    lines = {line.name for line in estimated("stage-a", {"usage": {"tariff": "kepco_industrial"}}).lines}
    assert "electricity, contracted power" in lines


def test_a_use_without_a_price_is_reported_and_left_out_of_the_total() -> None:
    without = PriceBook(price for price in BOOK if price.sku != "vpn-tunnel")
    whole = shipped_estimate("stage-e")
    found = estimate(shipped("stage-e"), book=without, today=TODAY)
    assert [each.sku for each in found.unpriced] == ["vpn-tunnel"]
    assert whole.total.expected - found.total.expected == pytest.approx(73.00)
    assert str(found.unpriced[0]) == "VPN tunnels: no price of vpn-tunnel in us-central1 (known nowhere)"


def test_old_prices_are_named_and_fresh_ones_are_not() -> None:
    assert shipped_estimate("stage-c").stale == ()
    old = estimate(shipped("stage-c"), today=date(2027, 3, 1)).stale
    assert {price.sku for price in old} == {"spot-g2-standard-8"}


def test_usage_beyond_what_the_cards_can_do_is_noted() -> None:
    assert shipped_estimate("stage-e").notes == ()
    asked = {"generations_per_active_user_day": {"expected": 6, "high": 6}}
    assert "4,167 tokens/s" in estimated("stage-e", {"usage": asked}).notes[0]


def test_a_usage_given_beside_the_plan_takes_the_files_place() -> None:
    plan = shipped("stage-c")
    calm = plan.config.usage.model_copy(
        update={"load_factor": plan.config.usage.load_factor.model_copy(update={"expected": 0.05})}
    )
    assert estimate(plan, calm, today=TODAY).total.expected < shipped_estimate("stage-c").total.expected


def test_the_tornado_is_sorted_and_its_ends_are_totals_with_one_figure_changed() -> None:
    found = tornado(shipped_estimate("stage-c"))
    assert [swing.width_usd for swing in found] == sorted((swing.width_usd for swing in found), reverse=True)
    swing = next(each for each in found if each.input == "load_factor")
    for end, figure in ((swing.low_usd, 0.05), (swing.high_usd, 0.2)):
        one = {"usage": {"load_factor": {"low": figure, "expected": figure, "high": figure}}}
        assert end == pytest.approx(estimated("stage-c", one).total.expected)
    price = next(each for each in found if each.input == "electricity-flat")
    assert price.high_usd - price.low_usd == pytest.approx(985.5 * (0.26 - 0.09))


def test_a_month_knows_only_ranges_of_the_usage() -> None:
    month = Month(plan=shipped("stage-a"), usage=shipped("stage-a").config.usage)
    assert replace(month, scenario=Scenario.HIGH).load_factor == 0.2
    assert month.interval("load_factor") == Interval(0.05, 0.1, 0.2)
    for name in ("no_such_range", "tariff"):
        with pytest.raises(AttributeError):
            getattr(month, name) if name == "no_such_range" else month.interval(name)
