"""What no cloud bills: electricity by tariff, the cards, the domain, money set aside."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, Tier, between, flat
from dreamseed.interval import Interval

KRW_PER_USD = 1_400
"""Unverified."""

_power = partial(Price, vendor="Electricity provider", service="Electricity")

PRICES = (
    _power(
        sku="electricity-flat",
        unit="kWh",
        tiers=between(0.09, 0.12, 0.26),
        source=sources.TARIFF,
        confidence=Confidence.LOW,
    ),
    _power(
        sku="electricity-kepco_residential",
        unit="kWh",
        tiers=tuple(
            Tier(above=above, usd=Interval.exact(krw / KRW_PER_USD))
            for above, krw in ((0, 152), (200, 260), (400, 365))
        ),
        source=sources.KEPCO,
        confidence=Confidence.LOW,
        note="summer's steps are 300 and 450 kWh; what the household itself uses is not counted",
    ),
    _power(
        sku="electricity-kepco_industrial",
        unit="kWh",
        tiers=between(123 / KRW_PER_USD, 137 / KRW_PER_USD, 148 / KRW_PER_USD),
        source=sources.KEPCO_INDUSTRIAL,
        confidence=Confidence.LOW,
        note="the seasons' marginal prices; expected is their mean over a year",
    ),
    _power(
        sku="electricity-kepco_industrial-contract",
        unit="kW-month",
        tiers=flat(5_550 / KRW_PER_USD),
        source=sources.KEPCO_INDUSTRIAL,
        confidence=Confidence.LOW,
    ),
    Price(
        vendor="NVIDIA",
        service="Hardware",
        sku="gpu-rtx-5090",
        unit="card",
        tiers=between(1_999, 1_999, 3_500),
        source=sources.CHOICE,
        confidence=Confidence.LOW,
        note="1,999 at launch in January 2025; the high figure is a guess at street prices",
    ),
    Price(
        vendor="Registrar",
        service="Domain",
        sku="domain-year",
        unit="year",
        tiers=between(10, 12, 24),
        source=sources.GROWTH_PLAN,
        confidence=Confidence.LOW,
        note="10 to 15 recalled; the growth plan's 2 USD a month are 24",
    ),
    Price(
        vendor="The owners",
        service="Reserve",
        sku="reserve",
        unit="USD",
        tiers=flat(1),
        source=sources.GROWTH_PLAN,
        confidence=Confidence.HIGH,
        note="money set aside, not a bill",
    ),
)
