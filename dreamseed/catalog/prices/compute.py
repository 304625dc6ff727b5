"""Compute Engine: machines on demand and spot, disks. SKUs end in the machine's name."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, PriceSource, between, flat

_row = partial(Price, vendor="Google Cloud", service="Compute Engine")
_MACHINES: tuple[tuple[str, str, float, float | None, PriceSource, Confidence], ...] = (
    ("g2-standard-4", "us-central1", 0.7068, 0.424, sources.GCOSTS, Confidence.MEDIUM),
    ("g2-standard-4", "us-west2", 0.8497, 0.0765, sources.GCOSTS, Confidence.MEDIUM),
    ("g2-standard-4", "us-west3", 0.8497, 0.0765, sources.GCOSTS, Confidence.MEDIUM),
    ("g2-standard-8", "us-central1", 0.8536, 0.5120, sources.GCOSTS, Confidence.MEDIUM),
    ("g2-standard-8", "asia-northeast3", 1.0962, 0.3760, sources.GCOSTS, Confidence.MEDIUM),
    ("g2-standard-8", "asia-northeast1", 1.0962, 0.342, sources.SPOT_2025, Confidence.LOW),
    ("e2-micro", "us-central1", 0.0084, None, sources.RECALLED, Confidence.LOW),
    ("e2-small", "us-central1", 0.0168, None, sources.RECALLED, Confidence.LOW),
    ("e2-medium", "us-central1", 0.0336, None, sources.RECALLED, Confidence.LOW),
    ("e2-standard-2", "us-central1", 0.0672, None, sources.RECALLED, Confidence.LOW),
)
"""Machine, region, USD an hour on demand, USD an hour as spot (None: not used), source and confidence.

e2-micro is quoted as about 0.0084; the others of the family are its multiples by 2, 4 and 8. A spot price may rise to
the price on demand, never above it.
"""


def on_demand_sku(machine: str) -> str:
    """Return the SKU of a machine on demand."""
    return f"machine-{machine}"


def spot_sku(machine: str) -> str:
    """Return the SKU of a spot machine."""
    return f"spot-{machine}"


PRICES = (
    *(
        _row(
            sku=on_demand_sku(machine),
            region=region,
            unit="h",
            tiers=flat(usd),
            source=source,
            confidence=confidence,
        )
        for machine, region, usd, _, source, confidence in _MACHINES
    ),
    *(
        _row(
            sku=spot_sku(machine),
            region=region,
            unit="h",
            tiers=between(spot, spot, usd),
            source=source,
            confidence=confidence,
        )
        for machine, region, usd, spot, source, confidence in _MACHINES
        if spot is not None
    ),
    _row(
        sku="n2-custom-cpu",
        region="us-central1",
        unit="vCPU-h",
        tiers=flat(0.033174),
        source=sources.RECALLED,
        confidence=Confidence.LOW,
        note="the restore machine, only while a disaster lasts",
    ),
    _row(
        sku="n2-custom-memory",
        region="us-central1",
        unit="GiB-h",
        tiers=flat(0.004446),
        source=sources.RECALLED,
        confidence=Confidence.LOW,
    ),
    _row(
        sku="disk-balanced",
        unit="GiB-month",
        tiers=between(0.10, 0.10, 0.13),
        source=sources.RECALLED,
        confidence=Confidence.LOW,
        note="0.13 in Seoul",
    ),
    _row(
        sku="disk-ssd",
        unit="GiB-month",
        tiers=between(0.17, 0.17, 0.221),
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
        note="0.221 in Seoul, recalled",
    ),
)
