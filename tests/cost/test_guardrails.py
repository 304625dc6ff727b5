from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.cost import Estimate, estimate
from dreamseed.cost.diff import cost_diff
from dreamseed.cost.guardrails import Verdict, guardrails, passes
from tests.cost.estimates import TODAY, estimated, shipped_estimate
from tests.planning.stages import STAGE_NAMES, shipped

REASON = "Cloud Run stays as planned until the load of a month is measured"


def verdicts(found: Estimate, today: date = TODAY) -> dict[str, Verdict]:
    return {rule.name: rule.verdict for rule in guardrails(found, today)}


def accepted(usd: float, until: str) -> Mapping[str, Any]:
    return {"budget": {"accepted_overrun": {"usd_per_month": usd, "reason": REASON, "until": until}}}


def test_stage_a_fits_its_budget_and_b_to_e_do_not() -> None:
    found = {stage: verdicts(shipped_estimate(stage))["budget"] for stage in STAGE_NAMES}
    assert found == {stage: Verdict.PASS if stage == "stage-a" else Verdict.FAIL for stage in STAGE_NAMES}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_shipped_stages_have_a_price_for_everything_and_stay_below_their_worst_case(stage: str) -> None:
    found = verdicts(shipped_estimate(stage))
    assert found["prices"] is Verdict.PASS
    assert found["worst case"] is Verdict.PASS


def test_an_overrun_passes_once_it_is_accepted_with_reason_and_end() -> None:
    found = guardrails(estimated("stage-b", accepted(65, "2027-06-30")), TODAY)
    assert passes(found)
    budget = next(rule for rule in found if rule.name == "budget")
    assert budget.verdict is Verdict.ACCEPTED
    assert REASON in budget.found


@pytest.mark.parametrize(("usd", "until"), [(64, "2027-06-30"), (65, "2026-11-23")])
def test_an_overrun_beyond_what_was_accepted_or_after_its_end_fails(usd: float, until: str) -> None:
    assert verdicts(estimated("stage-b", accepted(usd, until)))["budget"] is Verdict.FAIL


def test_the_last_day_of_an_accepted_overrun_still_counts() -> None:
    found = estimated("stage-b", accepted(65, "2027-06-30"))
    assert verdicts(found, date(2027, 6, 30))["budget"] is Verdict.ACCEPTED
    assert verdicts(found, date(2027, 7, 1))["budget"] is Verdict.FAIL


def test_a_worst_case_above_its_limit_fails() -> None:
    dearer = {"usage": {"host_watts": {"high": 500}}}
    assert verdicts(estimated("stage-a", dearer))["worst case"] is Verdict.FAIL


def test_something_without_a_price_fails_even_within_the_budget() -> None:
    without = PriceBook(price for price in BOOK if price.sku != "registry-storage")
    found = estimate(shipped("stage-a"), book=without, today=TODAY)
    assert found.headroom_usd() > 0
    assert verdicts(found)["prices"] is Verdict.FAIL
    assert not passes(guardrails(found, TODAY))


def change(stage: str, head: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Verdict]:
    found = cost_diff(estimated(stage, base), estimated(stage, head), TODAY)
    return {rule.name: rule.verdict for rule in found.guardrails}


def test_no_change_passes_the_rules_of_changes() -> None:
    found = change("stage-c", {})
    assert {found["change in USD"], found["change in percent"], found["budget crossed"]} == {Verdict.PASS}


def test_a_change_may_be_too_large_in_usd_or_in_percent() -> None:
    business = change("stage-d", {"edge": {"plan": "business"}})
    assert (business["change in USD"], business["change in percent"]) == (Verdict.FAIL, Verdict.FAIL)
    reserve = change("stage-a", {"usage": {"reserve_usd_per_month": {"expected": 33, "high": 33}}})
    assert (reserve["change in USD"], reserve["change in percent"]) == (Verdict.PASS, Verdict.FAIL)
    small = change("stage-d", {"usage": {"reserve_usd_per_month": {"expected": 30, "high": 30}}})
    assert (small["change in USD"], small["change in percent"]) == (Verdict.FAIL, Verdict.PASS)


def test_a_change_that_crosses_the_budget_fails_and_one_of_a_stage_already_over_is_not_said_to() -> None:
    more = {"usage": {"reserve_usd_per_month": {"expected": 30, "high": 30}}}
    assert change("stage-a", more)["budget crossed"] is Verdict.FAIL
    assert change("stage-a", {}, more)["budget crossed"] is Verdict.PASS
    assert change("stage-b", more)["budget crossed"] is Verdict.PASS


def test_a_promotion_is_not_measured_as_a_change() -> None:
    found = cost_diff(shipped_estimate("stage-b"), shipped_estimate("stage-c"), TODAY)
    assert "change in USD" not in {rule.name for rule in found.guardrails}
