"""What the growth plan expects of the users' money, and the figures it wants to be judged by.

Source: the growth plan v1.0 of 2025-11-10, section 8, read 2026-11-22, unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dreamseed.config.types import Stage

PRICE_USD_PER_MONTH = 10.0
"""What a paying user pays."""

CONVERSION: Mapping[Stage, float] = MappingProxyType(
    {Stage.A: 0.05, Stage.B: 0.08, Stage.C: 0.10, Stage.D: 0.12, Stage.E: 0.15}
)
"""Share of a stage's sign-ups that pay."""

REVENUE_OVER_COST = 2.0
"""The finance gate of a promotion: monthly revenue above this many times the monthly cost. Source: section 3."""

LTV_GROSS_MARGIN = 0.80
"""Gross margin that lifetime values are computed with: the floor of the plan's margin KPI.

The plan's own lines would give 99 % from C on, because they hold neither people nor payment fees.
"""

QUICK_RATIO_GOOD = 4.0
"""A quick ratio that investors call good: a rule of thumb, unverified; the plan names none."""


@dataclass(frozen=True, kw_only=True)
class KpiTarget:
    """One business KPI: `above` tells whether it shall be above or below `target`.

    `contradiction` says where the plan cannot keep its own target. Source of the contradictions: price facts of
    2026-11-23, sections 9 and 13.
    """

    name: str
    target: float
    above: bool
    unit: str
    contradiction: str = ""


GROWTH = KpiTarget(
    name="growth a month",
    target=0.15,
    above=True,
    unit="%",
    contradiction="the realistic scenario grows by exactly 15.0 %, which is not above 15 %; the conservative by 2 %",
)
VIRAL_K = KpiTarget(
    name="K",
    target=1.2,
    above=True,
    unit="",
    contradiction="the realistic scenario's K is exactly 1.2, which is not above 1.2",
)
CHURN = KpiTarget(
    name="churn a month",
    target=0.05,
    above=False,
    unit="%",
    contradiction="the realistic scenario's churn is exactly 5 %, which is not below 5 %",
)
CONVERSION_RATE = KpiTarget(
    name="conversion",
    target=0.10,
    above=True,
    unit="%",
    contradiction="the plan itself expects 5, 8 and 10 % at A, B and C: met from D on",
)
ARPU = KpiTarget(
    name="ARPU",
    target=10.0,
    above=True,
    unit="USD",
    contradiction="cannot be met at one price of 10: a paying user brings exactly 10, a sign-up 0.5 to 1.5",
)
LTV_OVER_CAC = KpiTarget(name="LTV/CAC", target=3.0, above=True, unit="×")
COST_PER_USER = KpiTarget(name="change of cost per user", target=0.0, above=False, unit="USD")
NET_MARGIN = KpiTarget(
    name="net margin",
    target=0.80,
    above=True,
    unit="%",
    contradiction="stage A at its full 1,000 sign-ups has exactly 80 % by the plan's figures, which is not above 80 %",
)
RUNWAY = KpiTarget(name="runway", target=12.0, above=True, unit="months")
