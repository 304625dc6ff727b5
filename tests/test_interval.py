from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.interval import Interval, Scenario

FIGURES = st.lists(st.floats(0, 1e9), min_size=3, max_size=3).map(sorted)
INTERVALS = FIGURES.map(lambda three: Interval(*three))


@given(st.lists(INTERVALS, max_size=6))
def test_a_sum_stays_in_order_and_is_the_sum_of_each_scenario(parts: list[Interval]) -> None:
    total = Interval.total(parts)
    for scenario in Scenario:
        assert total.at(scenario) == math.fsum(part.at(scenario) for part in parts)


@given(INTERVALS, INTERVALS, st.floats(0, 1e3))
def test_adding_and_scaling_keep_the_order(one: Interval, other: Interval, factor: float) -> None:
    assert (one + other) == (other + one)
    assert (one * factor).spread >= 0


@pytest.mark.parametrize("figures", [(2, 1, 3), (1, 3, 2), (0, 1, math.inf), (math.nan, 1, 2)])
def test_figures_out_of_order_or_not_finite_are_refused(figures: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"order|finite"):
        Interval(*figures)


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(ValueError, match="low into high"):
        Interval(1, 2, 3) * -1


def test_only_rounding_is_mended() -> None:
    assert Interval.mended(1 + 1e-12, 1, 1 - 1e-12) == Interval(1, 1, 1)
    with pytest.raises(ValueError, match="order"):
        Interval.mended(1.01, 1, 2)
