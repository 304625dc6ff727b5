"""Google's storage of small things: objects, images, secrets, messages."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, between, flat

_row = partial(Price, vendor="Google Cloud")

PRICES = (
    _row(
        service="Cloud Storage",
        sku="gcs-standard",
        unit="GiB-month",
        tiers=between(0.020, 0.020, 0.023),
        source=sources.STORAGE,
        confidence=Confidence.MEDIUM,
        note="0.020 in us-central1; 0.023 in Seoul, recalled",
    ),
    _row(
        service="Cloud Storage",
        sku="gcs-class-a",
        unit="10,000 operations",
        tiers=flat(0.05),
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
    ),
    _row(
        service="Artifact Registry",
        sku="registry-storage",
        unit="GiB-month",
        tiers=flat(0.10),
        free_quantity=0.5,
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
        note="the free half GiB is unverified",
    ),
    _row(
        service="Secret Manager",
        sku="secret-version",
        unit="version-month",
        tiers=flat(0.06),
        free_quantity=6,
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
        note="the six free versions are unverified",
    ),
    _row(
        service="Secret Manager",
        sku="secret-access",
        unit="10,000 accesses",
        tiers=flat(0.03),
        free_quantity=1,
        source=sources.CATALOG_2024,
        confidence=Confidence.MEDIUM,
        note="the first 10,000 free are unverified",
    ),
    _row(
        service="Pub/Sub",
        sku="pubsub-volume",
        unit="GiB",
        tiers=flat(40 / 1_024),
        free_quantity=10,
        source=sources.STORAGE,
        confidence=Confidence.MEDIUM,
    ),
)
