"""Cloud SQL for PostgreSQL, Enterprise edition. Regional availability costs exactly twice as much as zonal."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, between, flat

COMMITTED = {"one_year": 0.25, "three_years": 0.52}
"""vCPU and memory only. Source: docs.archera.ai 2026-03; the growth plan expects 30 % and 50 %."""

_row = partial(Price, vendor="Google Cloud", service="Cloud SQL", region="us-central1")
_catalog = partial(_row, source=sources.CATALOG_2026, confidence=Confidence.HIGH)

PRICES = (
    _catalog(sku="sql-zonal-cpu", unit="vCPU-h", tiers=flat(0.0413), discounts=COMMITTED),
    _catalog(sku="sql-regional-cpu", unit="vCPU-h", tiers=flat(0.0826), discounts=COMMITTED),
    _catalog(sku="sql-zonal-memory", unit="GiB-h", tiers=flat(0.007), discounts=COMMITTED),
    _catalog(sku="sql-regional-memory", unit="GiB-h", tiers=flat(0.014), discounts=COMMITTED),
    _catalog(sku="sql-zonal-ssd", unit="GiB-month", tiers=flat(0.17), note="billed while the instance is stopped too"),
    _catalog(sku="sql-regional-ssd", unit="GiB-month", tiers=flat(0.34)),
    _row(
        sku="sql-backup",
        unit="GiB-month",
        tiers=between(0.08, 0.08, 0.08),
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
    ),
    _row(
        sku="sql-idle-address",
        unit="address-h",
        tiers=flat(0.01),
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
        note="a public address while the instance is stopped; a private one costs nothing",
    ),
)
