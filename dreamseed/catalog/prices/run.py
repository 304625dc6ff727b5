"""Cloud Run: request-based and instance-based billing, minimum instances, requests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, flat

TIER_1, TIER_2 = "run-tier-1", "run-tier-2"
RUN_REGION_TIERS: Mapping[str, str] = {"us-central1": TIER_1, "asia-northeast3": TIER_2}
"""The price tier of the regions that were looked up. Source: price facts, section 2, 2026-11-23."""
BILLING_STEP_SECONDS = 0.1
"""Time is rounded up to this. Source: cloud.google.com/run/pricing."""
IDLE_LINGER_SECONDS = 900
"""An idle instance stays for up to this. Source: Cloud Run documentation, as recorded on 2026-11-23."""

FREE_CPU_USD, FREE_MEMORY_USD = 180_000 * 0.000024, 360_000 * 0.0000025
FREE_INSTANCE_CPU_USD, FREE_INSTANCE_MEMORY_USD = 240_000 * 0.000018, 450_000 * 0.000002
"""The free tier of either way of billing, a discount on CPU and on memory at the tier-1 price: 5.22 USD together.

It is taken from idle and active time alike, which the page does not say and a first bill will show.
"""

COMMITTED = {"one_year": 0.17, "three_years": 0.17}
"""17 % for one year; no other share was found for three. Source: Google blog 2021-09, old."""

_row = partial(Price, vendor="Google Cloud", service="Cloud Run")

PRICES = (
    _row(
        sku="run-request-cpu",
        region=TIER_1,
        unit="vCPU-s",
        tiers=flat(0.000024),
        free_usd=FREE_CPU_USD,
        free_pool="run-request-cpu",
        discounts=COMMITTED,
        source=sources.RUN_PAGE,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-request-cpu",
        region=TIER_2,
        unit="vCPU-s",
        tiers=flat(0.0000336),
        free_usd=FREE_CPU_USD,
        free_pool="run-request-cpu",
        discounts=COMMITTED,
        source=sources.RUN_TIER_2,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-request-memory",
        region=TIER_1,
        unit="GiB-s",
        tiers=flat(0.0000025),
        free_usd=FREE_MEMORY_USD,
        free_pool="run-request-memory",
        discounts=COMMITTED,
        source=sources.RUN_PAGE,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-request-memory",
        region=TIER_2,
        unit="GiB-s",
        tiers=flat(0.0000035),
        free_usd=FREE_MEMORY_USD,
        free_pool="run-request-memory",
        discounts=COMMITTED,
        source=sources.RUN_TIER_2,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-requests",
        unit="million requests",
        tiers=flat(0.40),
        free_quantity=2,
        discounts=COMMITTED,
        source=sources.RUN_PAGE,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-idle-cpu",
        region=TIER_1,
        unit="vCPU-s",
        tiers=flat(0.0000025),
        free_usd=FREE_CPU_USD,
        free_pool="run-request-cpu",
        discounts=COMMITTED,
        source=sources.RUN_PAGE,
        confidence=Confidence.HIGH,
        note="a minimum instance while no request is open, request-based billing only",
    ),
    _row(
        sku="run-idle-cpu",
        region=TIER_2,
        unit="vCPU-s",
        tiers=flat(0.0000035),
        free_usd=FREE_CPU_USD,
        free_pool="run-request-cpu",
        discounts=COMMITTED,
        source=sources.RUN_TIER_2,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-idle-memory",
        region=TIER_1,
        unit="GiB-s",
        tiers=flat(0.0000025),
        free_usd=FREE_MEMORY_USD,
        free_pool="run-request-memory",
        discounts=COMMITTED,
        source=sources.RUN_PAGE,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-idle-memory",
        region=TIER_2,
        unit="GiB-s",
        tiers=flat(0.0000035),
        free_usd=FREE_MEMORY_USD,
        free_pool="run-request-memory",
        discounts=COMMITTED,
        source=sources.RUN_TIER_2,
        confidence=Confidence.HIGH,
    ),
    _row(
        sku="run-instance-cpu",
        region=TIER_1,
        unit="vCPU-s",
        tiers=flat(0.000018),
        free_usd=FREE_INSTANCE_CPU_USD,
        free_pool="run-instance-cpu",
        discounts=COMMITTED,
        source=sources.RUN_INSTANCE,
        confidence=Confidence.HIGH,
        note="also what jobs are billed by",
    ),
    _row(
        sku="run-instance-cpu",
        region=TIER_2,
        unit="vCPU-s",
        tiers=flat(0.0000252),
        free_usd=FREE_INSTANCE_CPU_USD,
        free_pool="run-instance-cpu",
        discounts=COMMITTED,
        source=sources.RUN_DERIVED,
        confidence=Confidence.LOW,
    ),
    _row(
        sku="run-instance-memory",
        region=TIER_1,
        unit="GiB-s",
        tiers=flat(0.000002),
        free_usd=FREE_INSTANCE_MEMORY_USD,
        free_pool="run-instance-memory",
        discounts=COMMITTED,
        source=sources.RUN_INSTANCE,
        confidence=Confidence.MEDIUM,
    ),
    _row(
        sku="run-instance-memory",
        region=TIER_2,
        unit="GiB-s",
        tiers=flat(0.0000028),
        free_usd=FREE_INSTANCE_MEMORY_USD,
        free_pool="run-instance-memory",
        discounts=COMMITTED,
        source=sources.RUN_DERIVED,
        confidence=Confidence.LOW,
    ),
)
