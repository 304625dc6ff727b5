from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.growth.timing import month_after, order_ordinals


@pytest.mark.parametrize(
    ("start", "months", "day"),
    [
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2027, 10, 15), 14, date(2028, 12, 15)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(start: date, months: int, day: date) -> None:
    assert month_after(start, months) == day


@given(start=st.dates(date(2020, 1, 1), date(2100, 1, 1)), months=st.integers(0, 359))
def test_months_follow_each_other_by_28_to_31_days(start: date, months: int) -> None:
    days = (month_after(start, months + 1) - month_after(start, months)).days
    assert 28 <= days <= 31


def test_an_order_is_its_whole_lead_time_before_the_stage_and_never_for_a_stage_never_reached() -> None:
    start = date(2026, 12, 1)
    found = order_ordinals(start, np.array([2.0, math.inf]), np.array([30.2, 30.2]), horizon=3)
    assert date.fromordinal(int(found[0])) == date(2027, 1, 1)
    assert found[1] == math.inf
