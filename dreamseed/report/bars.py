"""Cost against budget as bars: all stages on one scale, on which every budget is the same line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.interval import Interval


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Positions in percent of the chart's width."""

    low: float
    expected: float
    high: float
    budget: float

    @property
    def within(self) -> float:
        """Return the end of the part that the budget covers."""
        return min(self.expected, self.budget)

    @property
    def over(self) -> float:
        """Return the length of the part beyond it."""
        return self.expected - self.within


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A bar for each stage, and the scale's marks: how many budgets, and where."""

    bars: tuple[Bar, ...]
    marks: tuple[tuple[int, float], ...]


def cost_chart(costs: Sequence[tuple[Interval, float]]) -> Chart:
    """Return the chart of each stage's cost and budget, both USD a month; 0 to as many whole budgets as are needed."""
    budgets = math.ceil(max(1.0, *(cost.high / budget for cost, budget in costs)))
    share = 100 / budgets
    bars = tuple(
        Bar(
            low=cost.low / budget * share,
            expected=cost.expected / budget * share,
            high=cost.high / budget * share,
            budget=share,
        )
        for cost, budget in costs
    )
    return Chart(bars=bars, marks=tuple((number, number * share) for number in range(budgets + 1)))
