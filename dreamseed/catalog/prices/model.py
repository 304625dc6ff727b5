"""What a row of the price book is, and how its names map to FOCUS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from dreamseed.interval import Interval, Scenario

GLOBAL = "global"
"""The region of a price that is the same everywhere."""
HOURS_PER_MONTH = 730
"""The one length of a month in all estimates: 365 days / 12. The growth plan counts 720 h, Backblaze 30 days."""
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600
DAYS_PER_MONTH = HOURS_PER_MONTH / 24


class Confidence(StrEnum):
    """How far a price can be trusted, strongest first."""

    HIGH = "high"
    """Two independent dated sources, or a real bill."""
    MEDIUM = "medium"
    """One dated source."""
    LOW = "low"
    """Recalled, derived from another row, or a choice that is named as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """Where prices were read: `text` names the copy with its own date, `read_on` is the day it was read here."""

    text: str
    read_on: date
    shelf_life_days: int = 180

    @property
    def expires_on(self) -> date:
        """Return the last day on which the prices are fresh."""
        return self.read_on + timedelta(days=self.shelf_life_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """USD of each unit above `above` units, up to the next tier."""

    above: float
    usd: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One row: what a unit of `sku` costs in `region`.

    The first `free_quantity` units of a month are free, once per billing account. `free_usd` is a discount on spending
    instead, shared by all rows of the same `free_pool` (Cloud Run grants its free tier like this, at the tier-1 price).
    `discounts` are the shares that a commitment takes off, by its term.
    """

    vendor: str
    service: str
    sku: str
    unit: str
    tiers: tuple[Tier, ...]
    source: PriceSource
    confidence: Confidence
    region: str = GLOBAL
    free_quantity: float = 0.0
    free_usd: float = 0.0
    free_pool: str = ""
    discounts: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        bounds = [tier.above for tier in self.tiers]
        if not bounds or bounds[0] != 0 or any(lower >= upper for lower, upper in pairwise(bounds)):
            raise ValueError(f"{self.sku} in {self.region}: tiers begin at 0 and rise, these begin at {bounds}")
        if any(tier.usd.low < 0 for tier in self.tiers) or self.free_quantity < 0 or self.free_usd < 0:
            raise ValueError(f"{self.sku} in {self.region}: neither a price nor a free quantity is negative")

    def gross_usd(self, quantity: float, scenario: Scenario) -> float:
        """Return what `quantity` units cost by the tiers, before anything free. Refuses a negative quantity."""
        if quantity < 0:
            raise ValueError(f"{quantity} of {self.sku}: a quantity is not negative")
        ends = [*(tier.above for tier in self.tiers[1:]), float("inf")]
        return sum(
            (min(quantity, end) - tier.above) * tier.usd.at(scenario)
            for tier, end in zip(self.tiers, ends, strict=True)
            if quantity > tier.above
        )

    def net_usd(self, quantity: float, scenario: Scenario) -> float:
        """Return what a month's bill says for `quantity` units: gross minus what is free, never negative."""
        free = self.gross_usd(min(quantity, self.free_quantity), scenario) + self.free_usd
        return max(0.0, self.gross_usd(quantity, scenario) - free)

    def is_stale(self, today: date) -> bool:
        """Tell whether the row is past its shelf life."""
        return today > self.source.expires_on


FOCUS_COLUMNS: Mapping[str, str] = {
    "vendor": "ServiceProviderName",
    "service": "ServiceName",
    "sku": "SkuId",
    "region": "RegionId",
    "unit": "PricingUnit",
    "tiers": "ListUnitPrice",
    "free_quantity": "x_FreeQuantity",
    "free_usd": "x_FreeSpending",
    "free_pool": "x_FreeSpendingPool",
    "discounts": "x_CommitmentDiscountShares",
    "source": "x_PriceSource",
    "confidence": "x_Confidence",
    "note": "x_Note",
}
"""The columns of FOCUS 1.3 that the fields of a row stand for; `x_` marks columns of one's own, as FOCUS asks.

The SKU is this project's own name for the vendor's, which a bill's import has to translate; a row of several tiers is
several FOCUS rows. Source: FOCUS specification 1.3, column names, as cited in the price facts of 2026-11-23.
"""


def flat(usd: float) -> tuple[Tier, ...]:
    """Return the one tier of a price that is known and the same for every quantity."""
    return (Tier(above=0, usd=Interval.exact(usd)),)


def between(low: float, expected: float, high: float) -> tuple[Tier, ...]:
    """Return the one tier of a price that is not known exactly."""
    return (Tier(above=0, usd=Interval(low, expected, high)),)
