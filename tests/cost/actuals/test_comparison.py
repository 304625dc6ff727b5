from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.console import Console

from dreamseed.cost.actuals import Comparison, compare, read_bill
from dreamseed.cost.actuals.comparison import ServiceComparison
from dreamseed.cost.actuals.focus import Bill, Kind
from dreamseed.cost.actuals.report import actuals_json, actuals_tables
from dreamseed.cost.estimate import estimate
from tests.cost.actuals.bills import EXAMPLE, GOLDEN, by_hand, line
from tests.cost.estimates import TODAY
from tests.planning.stages import shipped


def example() -> Comparison:
    return compare(by_hand(), read_bill(EXAMPLE))


def service(name: str, found: Comparison | None = None) -> ServiceComparison:
    return next(each for each in (found or example()).services if each.service == name)


def test_a_service_is_compared_by_its_forecast_for_the_month() -> None:
    run = service("Cloud Run")
    assert run.days is not None
    assert run.days.to_date_usd == pytest.approx(9 * 4 + 12 - 4)
    assert run.forecast_usd == pytest.approx(44 * 30 / 10)
    assert run.error_usd == pytest.approx(100 - 132)
    assert run.error_ratio == pytest.approx(-32 / 132)
    assert run.inside


def test_lines_of_one_service_are_taken_together_and_a_forecast_outside_is_marked() -> None:
    network = service("Networking")
    assert network.estimated is not None
    assert network.estimated.expected == 22
    assert network.forecast_usd == pytest.approx(30)
    assert not network.inside


def test_what_was_paid_ahead_counts_for_the_month_only() -> None:
    assert service("Zone plan").error_usd == pytest.approx(0)


def test_a_service_that_was_billed_and_not_estimated_is_an_error_and_so_is_the_reverse() -> None:
    support, secrets = service("Support"), service("Secret Manager")
    assert support.estimated is None
    assert support.error_usd == pytest.approx(-29)
    assert (secrets.days, secrets.error_usd, secrets.error_ratio) == (None, 1, None)


def test_a_provider_without_a_bill_is_no_error_and_stays_estimated() -> None:
    found = example()
    assert {each.provider for each in found.providers} == {"Google Cloud", "Cloudflare", "Backblaze"}
    assert found.not_in_bill.expected == 80
    assert found.month_usd == pytest.approx(132 + 30 + 20 + 3.9 + 29 + 80)


def test_services_providers_and_the_whole_add_up() -> None:
    found = example()
    assert found.forecast_usd == pytest.approx(sum(each.forecast_usd for each in found.services))
    assert found.error_usd == pytest.approx(sum(each.error_usd for each in found.services))
    assert found.error_usd == pytest.approx(127 + 20 - found.forecast_usd)


def test_taxes_promotions_and_corrections_stand_apart() -> None:
    found = example()
    assert found.apart_usd == {Kind.CREDIT: -10, Kind.TAX: 4.8, Kind.CORRECTION: -2}
    assert found.billed_usd == pytest.approx(317.1)


def test_a_refund_of_the_month_lowers_what_its_service_cost() -> None:
    bill = read_bill(EXAMPLE)
    refund = replace(bill.charges[0], billed_usd=-4.0, effective_usd=-4.0)
    refunded = compare(by_hand(), Bill(month=bill.month, charges=(*bill.charges, refund)))
    assert service("Cloud Run", refunded).forecast_usd == pytest.approx(132 - 12)


def test_names_are_compared_without_case_and_by_the_price_book_s_own_name() -> None:
    bill = read_bill(EXAMPLE)
    renamed = replace(bill.charges[0], provider="GOOGLE CLOUD", service="Cloud Pub/Sub")
    estimated = by_hand()
    known = replace(estimated, lines=(*estimated.lines, line("Google Cloud", "Pub/Sub", 0, 1, 2)))
    found = compare(known, Bill(month=bill.month, charges=(*bill.charges, renamed)))
    assert [each.service for each in found.services].count("Pub/Sub") == 1
    pubsub = service("Pub/Sub", found)
    assert pubsub.estimated is not None
    assert pubsub.forecast_usd == pytest.approx(12)


def test_the_day_that_stands_out_is_the_seventh() -> None:
    days = service("Cloud Run").days
    assert days is not None
    assert [str(one.day) for one in days.anomalies] == ["2026-11-07"]


def test_a_real_estimate_shares_its_names_with_the_example_s_bill() -> None:
    found = compare(estimate(shipped("stage-b"), today=TODAY), read_bill(EXAMPLE))
    for name in ("Cloud Run", "Networking", "Zone plan", "B2"):
        each = service(name, found)
        assert each.estimated is not None
        assert each.days is not None


def test_the_tables_are_as_recorded() -> None:
    console = Console(width=150, no_color=True)
    with console.capture() as capture:
        console.print(actuals_tables(example()), highlight=False)
    shown = "\n".join(row.rstrip() for row in capture.get().splitlines()) + "\n"
    assert shown == GOLDEN.read_text(encoding="utf-8"), "read the difference; if it is meant, record the new text"


def test_the_json_holds_what_the_tables_show() -> None:
    found = example()
    read = json.loads(json.dumps(actuals_json(found)))
    assert (read["month"], read["days_elapsed"], read["days_in_month"]) == ("2026-11", 10, 30)
    assert len(read["services"]) == len(found.services)
    assert read["usd_error"] == pytest.approx(found.error_usd, abs=0.005)
    run = next(each for each in read["services"] if each["service"] == "Cloud Run")
    assert run["anomalies"] == [{"day": "2026-11-07", "usd": 12.0, "usd_limit": 5.0}]
    assert read["usd_apart"]["taxes"] == 4.8
