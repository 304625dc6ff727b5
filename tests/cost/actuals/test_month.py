from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.cost.actuals.focus import Bill, Charge, Kind
from dreamseed.cost.actuals.month import MAD_FACTOR, Days, days_of, elapsed_days

NOVEMBER = date(2026, 11, 1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def charge(usd: float, first_hour: float, hours: float, *, one_time: bool = False) -> Charge:
    start = START + timedelta(hours=first_hour)
    return Charge(
        provider="Vendor",
        service="Service",
        service_category="Other",
        sku="",
        region="",
        kind=Kind.SERVICE,
        one_time=one_time,
        start=start,
        end=start + timedelta(hours=hours),
        billed_usd=usd,
        effective_usd=usd,
    )


def days(*charges: Charge) -> Days:
    return days_of(charges, Bill(month=NOVEMBER, charges=charges))


def test_the_forecast_is_the_elapsed_days_rate_for_the_whole_month() -> None:
    found = days(*(charge(2, 24 * day, 24) for day in range(10)))
    assert (found.to_date_usd, found.forecast_usd) == pytest.approx((20, 60))


def test_a_fee_for_the_month_is_forecast_as_itself_and_counted_to_date_by_its_days() -> None:
    found = days(charge(30, 0, 720), charge(1, 24, 24))
    assert len(found.usd) == 2
    assert (found.to_date_usd, found.forecast_usd) == pytest.approx((2 + 1, 30 + 15))


def test_what_is_charged_once_is_not_taken_for_a_rate() -> None:
    found = days(charge(100, 0, 24, one_time=True), charge(1, 0, 24))
    assert found.forecast_usd == pytest.approx(100 + 30)


def test_hours_belong_to_their_days_and_half_a_day_begins_a_day() -> None:
    found = days(charge(6, 18, 12), charge(1, 24, 1))
    assert found.usd == pytest.approx((3, 4))


def test_a_bill_of_monthly_charges_alone_is_complete() -> None:
    whole = (charge(30, 0, 720),)
    assert elapsed_days(Bill(month=NOVEMBER, charges=whole)) == 30
    assert days(*whole).forecast_usd == pytest.approx(30)


def test_of_a_charge_for_a_year_only_the_month_counts() -> None:
    assert days(charge(365, 0, 24 * 365)).to_date_usd == pytest.approx(30)


@given(st.lists(st.tuples(st.floats(-50, 50), st.integers(0, 719), st.integers(1, 48)), min_size=1, max_size=12))
def test_of_a_complete_month_the_forecast_is_the_sum(rows: list[tuple[float, int, int]]) -> None:
    inside = [charge(usd, first, min(hours, 720 - first)) for usd, first, hours in rows]
    found = days(*inside, charge(0, 719, 1))
    assert len(found.usd) == 30
    total = sum(usd for usd, _, _ in rows)
    assert found.forecast_usd == pytest.approx(total, abs=1e-9)
    assert found.to_date_usd == pytest.approx(total, abs=1e-9)


def made(*usd: float) -> Days:
    return Days(month=NOVEMBER, in_month=30, usd=usd, once_usd=0)


def test_a_day_above_median_and_k_times_mad_stands_out() -> None:
    (found,) = made(9, 10, 11, 9, 10, 11, 10, 20).anomalies
    assert (found.day, found.usd, found.median_usd) == (date(2026, 11, 8), 20, 10)
    assert found.limit_usd == pytest.approx(10 + MAD_FACTOR * 1)


def test_a_day_at_the_limit_does_not_stand_out() -> None:
    limit = 10 + MAD_FACTOR
    assert made(9, 10, 11, 9, 10, 11, 10, limit).anomalies == ()


def test_equal_days_do_not_make_a_cent_stand_out_but_a_dollar_and_more() -> None:
    assert made(*[4.0] * 9, 4.01).anomalies == ()
    assert len(made(*[4.0] * 9, 5.01).anomalies) == 1


def test_a_cheap_day_does_not_stand_out_and_few_days_tell_nothing() -> None:
    assert made(9, 10, 11, 9, 10, 11, 10, 0).anomalies == ()
    assert made(1, 1, 1, 1, 1, 99).anomalies == ()


def test_february_of_a_leap_year_has_29_days() -> None:
    start = datetime(2028, 2, 1, tzinfo=UTC)
    one = replace(charge(1, 0, 24), start=start, end=start + timedelta(days=1))
    assert days_of((one,), Bill(month=start.date(), charges=(one,))).forecast_usd == pytest.approx(29)
