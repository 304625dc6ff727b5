from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.prices import BOOK, FOCUS_COLUMNS, Confidence, Price, PriceBook, stale
from dreamseed.catalog.prices.model import Tier, flat
from dreamseed.catalog.prices.sources import READ_ON
from dreamseed.interval import Interval, Scenario
from tests.catalog.prices.rows import row

ROWS = tuple(BOOK)
QUANTITIES = st.floats(0, 1e7, allow_subnormal=False)


def test_no_price_is_past_its_shelf_life() -> None:
    old = stale(ROWS, datetime.now(UTC).date())
    assert [(price.sku, str(price.source.expires_on)) for price in old] == [], (
        "read these again and write the day and the prices into dreamseed/catalog/prices"
    )


def test_a_price_is_stale_one_day_after_its_shelf_life_and_not_before() -> None:
    price = row("run-request-cpu")
    last = READ_ON + timedelta(days=180)
    assert not price.is_stale(last)
    assert stale(ROWS, last + timedelta(days=1)) == ROWS


def test_editing_the_day_of_its_source_refreshes_a_row() -> None:
    price = row("run-request-cpu")
    later = replace(price, source=replace(price.source, read_on=date(2027, 11, 23)))
    assert price.is_stale(date(2027, 12, 1))
    assert not later.is_stale(date(2027, 12, 1))


@pytest.mark.parametrize("price", ROWS, ids=lambda price: f"{price.sku}-{price.region}")
def test_every_row_says_where_and_when_it_was_read(price: Price) -> None:
    assert len(price.source.text) > 15
    assert date(2026, 1, 1) <= price.source.read_on <= datetime.now(UTC).date()
    assert price.unit
    assert price.vendor
    if price.source.text.startswith(("recalled", "a choice")):
        assert price.confidence is Confidence.LOW


def test_spot_prices_have_the_shortest_shelf_life() -> None:
    assert {price.source.shelf_life_days for price in ROWS if price.sku.startswith("spot-")} == {90}


def test_every_field_of_a_row_has_a_column_of_focus() -> None:
    assert set(FOCUS_COLUMNS) == {field.name for field in fields(Price)}
    assert len(set(FOCUS_COLUMNS.values())) == len(FOCUS_COLUMNS)


def test_what_is_not_in_the_book_has_no_price_at_all() -> None:
    assert BOOK.find("run-request-cpu", "europe-west1") is None
    assert BOOK.find("no-such-sku", "us-central1") is None
    assert BOOK.regions("sql-zonal-cpu") == ("us-central1",)


def test_a_regions_own_row_comes_before_the_global_one() -> None:
    everywhere = row("disk-ssd")
    here = replace(everywhere, region="us-central1", tiers=flat(9))
    book = PriceBook([everywhere, here])
    assert book.find("disk-ssd", "us-central1") is here
    assert book.find("disk-ssd", "asia-northeast3") is everywhere


def test_two_rows_for_one_sku_and_region_are_refused() -> None:
    with pytest.raises(ValueError, match="two prices for disk-ssd"):
        PriceBook([row("disk-ssd"), row("disk-ssd")])


@pytest.mark.parametrize("bounds", [(), (5,), (0, 10, 10), (0, 10, 5)])
def test_tiers_that_do_not_rise_from_0_are_refused(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="tiers begin at 0 and rise"):
        replace(row("disk-ssd"), tiers=tuple(Tier(above=bound, usd=Interval.exact(1)) for bound in bounds))


def test_a_negative_price_and_a_negative_quantity_are_refused() -> None:
    with pytest.raises(ValueError, match="neither a price"):
        replace(row("disk-ssd"), tiers=flat(-1))
    with pytest.raises(ValueError, match="a quantity is not negative"):
        row("disk-ssd").gross_usd(-1, Scenario.EXPECTED)


@given(st.sampled_from(ROWS), st.sampled_from(Scenario), QUANTITIES, QUANTITIES)
def test_a_bill_never_falls_as_more_is_used_and_is_never_negative(
    price: Price, scenario: Scenario, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    assert 0 <= price.net_usd(less, scenario) <= price.net_usd(more, scenario) + 1e-9 * (1 + more)


@given(st.sampled_from([price for price in ROWS if len(price.tiers) > 1]), st.sampled_from(Scenario), st.data())
def test_a_bill_is_continuous_at_the_bounds_of_tiers(price: Price, scenario: Scenario, data: st.DataObject) -> None:
    bound = data.draw(st.sampled_from([tier.above for tier in price.tiers[1:]]))
    step = 1e-6
    jump = price.gross_usd(bound + step, scenario) - price.gross_usd(bound, scenario)
    assert 0 <= jump <= 2 * step * max(tier.usd.high for tier in price.tiers)


@given(st.sampled_from(ROWS), QUANTITIES)
def test_the_three_scenarios_of_a_bill_are_in_order(price: Price, quantity: float) -> None:
    low, expected, high = (price.net_usd(quantity, scenario) for scenario in Scenario)
    assert low <= expected + 1e-9
    assert expected <= high + 1e-9
