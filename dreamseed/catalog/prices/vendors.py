"""Cloudflare, Backblaze and Grafana."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, between, flat

BACKBLAZE_MONTH_DAYS = 30
"""Backblaze bills by 30 days."""
BACKBLAZE_FREE_EGRESS_FACTOR = 3
"""Egress is free up to this multiple of what is stored on average."""

_cloudflare = partial(
    Price,
    vendor="Cloudflare",
    service="Zone plan",
    unit="zone-month",
    source=sources.CLOUDFLARE,
    confidence=Confidence.HIGH,
)
_backblaze = partial(Price, vendor="Backblaze", service="B2", source=sources.BACKBLAZE, confidence=Confidence.MEDIUM)
_grafana = partial(
    Price, vendor="Grafana Labs", service="Grafana Cloud", source=sources.GRAFANA, confidence=Confidence.HIGH
)

PRICES = (
    _cloudflare(sku="cloudflare-free", tiers=flat(0)),
    _cloudflare(sku="cloudflare-pro-yearly", tiers=flat(20)),
    _cloudflare(sku="cloudflare-pro-monthly", tiers=flat(25)),
    _cloudflare(sku="cloudflare-business-yearly", tiers=flat(200)),
    _cloudflare(sku="cloudflare-business-monthly", tiers=flat(250)),
    _backblaze(sku="b2-storage", unit="TB-30-days", tiers=flat(6.95), free_quantity=0.01),
    _backblaze(
        sku="b2-storage-second-account",
        unit="TB-30-days",
        tiers=flat(6.95),
        free_quantity=0.01,
        note="another account, with its own free 10 GB",
    ),
    _backblaze(sku="b2-egress", unit="GB", tiers=flat(0.01), note="free up to three times what is stored"),
    _backblaze(
        sku="b2-calls",
        unit="10,000 calls",
        tiers=between(0, 0, 0.004),
        note="free since 2026-05 by one reading, class B 0.004 by an older page",
    ),
    _grafana(sku="grafana-free", unit="month", tiers=flat(0), note="10,000 series, three users, 14 days"),
    _grafana(sku="grafana-pro", unit="month", tiers=flat(19)),
    Price(
        vendor="Grafana Labs",
        service="Grafana Cloud",
        sku="grafana-series",
        unit="1,000 series",
        tiers=between(6.50, 6.50, 8.00),
        free_quantity=10,
        source=sources.GRAFANA,
        confidence=Confidence.LOW,
        note="billed: the larger of active series and data points a minute; that Pro includes 10,000 is unverified",
    ),
)
