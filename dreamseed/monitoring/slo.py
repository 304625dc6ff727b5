"""Error-budget arithmetic: how fast a budget burns, and when that is worth a page.

With objective O the budget is B = 1 − O. A window W that may use the fraction f of a period P's budget alerts at
k = f·P/W times the budget, over W and over W/12 so that it also ends soon. Source: Google SRE workbook, chapter 5;
sloth 0.16, read 2026-08.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from dreamseed.monitoring.model import Severity

PERIOD_HOURS = 30 * 24
MINIMUM_FAILURES = 10


@dataclass(frozen=True, kw_only=True)
class BurnWindow:
    """A pair of windows in PromQL's notation, with the share of the period's budget that the long one may use."""

    long: str
    short: str
    long_hours: int
    budget_share: Decimal
    severity: Severity

    @property
    def factor(self) -> Decimal:
        """Return k: how many times faster than allowed the budget burns when this window alerts."""
        return self.budget_share * PERIOD_HOURS / self.long_hours

    def error_ratio(self, objective: float) -> Decimal:
        """Return the share of failed requests at which the window alerts, for an objective such as 0.995."""
        return self.factor * (1 - Decimal(str(objective)))

    def minimum_events(self, objective: float) -> int:
        """Return the requests in the long window below which a ratio means fewer than ten failures."""
        return math.ceil(MINIMUM_FAILURES / self.error_ratio(objective))


BURN_WINDOWS = (
    BurnWindow(long="1h", short="5m", long_hours=1, budget_share=Decimal("0.02"), severity=Severity.CRITICAL),
    BurnWindow(long="6h", short="30m", long_hours=6, budget_share=Decimal("0.05"), severity=Severity.CRITICAL),
    BurnWindow(long="1d", short="2h", long_hours=24, budget_share=Decimal("0.10"), severity=Severity.WARNING),
    BurnWindow(long="3d", short="6h", long_hours=72, budget_share=Decimal("0.10"), severity=Severity.WARNING),
)


def plain(number: Decimal) -> str:
    """Return a decimal without trailing zeros or exponent, as PromQL reads it."""
    return format(number.normalize(), "f")
