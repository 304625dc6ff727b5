"""A figure that is not known exactly: low, expected and high, with arithmetic that keeps them in order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ROUNDING = 1e-9
"""Relative error of floating-point sums that is mended instead of refused."""


class Scenario(StrEnum):
    """Which of the three figures: everything cheap, everything as expected, everything dear."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Interval:
    """`low` ≤ `expected` ≤ `high`, all finite; anything else is refused with `ValueError`."""

    low: float
    expected: float
    high: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.low, self.expected, self.high))):
            raise ValueError(f"{self} holds a figure that is not finite")
        if not self.low <= self.expected <= self.high:
            raise ValueError(f"{self} is not in order: low ≤ expected ≤ high")

    @classmethod
    def exact(cls, value: float) -> Interval:
        """Return the interval that is `value` alone."""
        return cls(value, value, value)

    @classmethod
    def mended(cls, low: float, expected: float, high: float) -> Interval:
        """Return the interval of three computed figures, whose order rounding alone may have disturbed."""
        tolerance = ROUNDING * max(1.0, abs(low), abs(expected), abs(high))
        if low > expected and low - expected <= tolerance:
            low = expected
        if high < expected and expected - high <= tolerance:
            high = expected
        return cls(low, expected, high)

    @classmethod
    def total(cls, parts: Iterable[Interval]) -> Interval:
        """Return the sum of `parts`, 0 of none."""
        collected = list(parts)
        return cls(
            math.fsum(part.low for part in collected),
            math.fsum(part.expected for part in collected),
            math.fsum(part.high for part in collected),
        )

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, factor: float) -> Interval:
        if factor < 0:
            raise ValueError(f"{self} times {factor}: a negative factor would turn low into high")
        return Interval(self.low * factor, self.expected * factor, self.high * factor)

    def at(self, scenario: Scenario) -> float:
        """Return one of the three figures."""
        return float(getattr(self, scenario.value))

    @property
    def spread(self) -> float:
        """Return high minus low."""
        return self.high - self.low
