"""What is stored, and the zone's and the monitoring's plans: Cloudflare, Backblaze, Grafana, Google's small stores."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.model import DAYS_PER_MONTH, GLOBAL
from dreamseed.catalog.prices.vendors import BACKBLAZE_FREE_EGRESS_FACTOR, BACKBLAZE_MONTH_DAYS
from dreamseed.config.cloud import CloudflarePlan
from dreamseed.config.operations import GrafanaCloud
from dreamseed.cost.quantities.load import Load
from dreamseed.cost.quantities.secrets import stored_secrets
from dreamseed.cost.quantities.use import Month, Use
from dreamseed.planning.gpu.memory import weights_bytes

BYTES_PER_GIB = 2**30
STATE_GIB = 0.1
"""The program's own state: 50 versions of about 2 MB."""
STATE_WRITES_PER_MONTH = 20_000
"""Checkpoints of some hundred resources an update, a few updates a day."""
SECONDS_OF_ONE_DATA_POINT = 60
"""Grafana counts a series that is written once a minute as one."""


def stored_tb(month: Month) -> float:
    """Return the TB (10^12 bytes) of current files in the first account."""
    return month.plan.config.object_store.planned_gib * BYTES_PER_GIB / 1e12 * month.stored_ratio


def hidden_tb(month: Month) -> float:
    """Return the TB of overwritten versions that wait for the lifecycle rule: they are billed like current ones."""
    days = month.plan.config.object_store.hidden_version_days
    return stored_tb(month) * month.overwritten_ratio * days / BACKBLAZE_MONTH_DAYS


def store_uses(month: Month, load: Load) -> Iterator[Use]:
    """Yield the zone's plan, Backblaze, Google's small stores and the hosted Grafana."""
    edge = month.plan.config.edge
    sku = "cloudflare-free" if edge.plan is CloudflarePlan.FREE else f"cloudflare-{edge.plan}-{edge.billing}"
    yield Use(
        name=f"Cloudflare {edge.plan}",
        sku=sku,
        quantity=1,
        line=CostLine.CLOUDFLARE,
        why="one zone" if edge.plan is CloudflarePlan.FREE else f"one zone, paid {edge.billing}",
        region=GLOBAL,
    )
    yield from _backblaze(month, load)
    yield from _google(month)
    yield from _grafana(month)


def _backblaze(month: Month, load: Load) -> Iterator[Use]:
    stretch = DAYS_PER_MONTH / BACKBLAZE_MONTH_DAYS
    current, hidden = stored_tb(month), hidden_tb(month)
    yield Use(
        name="Backblaze storage",
        sku="b2-storage",
        quantity=(current + hidden) * stretch,
        line=CostLine.STORAGE,
        why=f"{current:.3f} TB and {hidden:.3f} TB of overwritten versions, for {DAYS_PER_MONTH:.2f} days of 30",
        region=GLOBAL,
    )
    config = month.plan.config
    drills_gb = month.database_gib * BYTES_PER_GIB / 1e9 * DAYS_PER_MONTH / config.backup.drill_every_days
    surely_stored_gb = config.object_store.planned_gib * BYTES_PER_GIB / 1e9 * month.interval("stored_ratio").low
    yield Use(
        name="Backblaze egress",
        sku="b2-egress",
        quantity=load.content_miss_bytes / 1e9 + drills_gb + _model_downloads_gb(month),
        line=CostLine.STORAGE,
        why="content that the edge misses, restore drills and models for burst workers",
        region=GLOBAL,
        free=BACKBLAZE_FREE_EGRESS_FACTOR * surely_stored_gb,
    )
    if config.backup.second_site:
        share = month.backup_ratio
        yield Use(
            name="Backblaze second site",
            sku="b2-storage-second-account",
            quantity=(current + hidden) * share * stretch,
            line=CostLine.BACKUP,
            why=f"{share:.0%} of what is stored is backups, copied to {config.object_store.second_region}",
            region=GLOBAL,
        )


def _model_downloads_gb(month: Month) -> float:
    """Return the GB of weights that workers load: each start once, each run for as long as it may."""
    burst = month.plan.burst
    if burst is None:
        return 0.0
    starts = month.burst_hours * 3_600 / burst.max_run_seconds
    intent = month.plan.layout.intent
    return starts * weights_bytes(intent.shape, intent.precision, 1) / 1e9


def _google(month: Month) -> Iterator[Use]:
    versions = stored_secrets(month.plan)
    rows = (
        ("images in the registry", "registry-storage", month.registry_gib, "images that running revisions name"),
        ("secrets", "secret-version", float(versions), f"{versions} secrets of one version each"),
        ("secrets read", "secret-access", versions * 1_000 / 10_000, "about 1,000 starts of an instance or a job"),
        ("program's state", "gcs-standard", STATE_GIB, "a state of a few MB, 50 versions kept"),
        ("program's state, written", "gcs-class-a", STATE_WRITES_PER_MONTH / 10_000, "checkpoints of updates"),
        ("budget notices", "pubsub-volume", 0.001, "a few notices a day"),
    )
    for name, sku, quantity, why in rows:
        yield Use(name=name, sku=sku, quantity=quantity, line=CostLine.NOT_PLANNED, why=why, region=month.region)


def _grafana(month: Month) -> Iterator[Use]:
    monitoring = month.plan.config.monitoring
    if monitoring.grafana_cloud is GrafanaCloud.NONE:
        return
    yield Use(
        name=f"Grafana Cloud {monitoring.grafana_cloud}",
        sku=f"grafana-{monitoring.grafana_cloud}",
        quantity=1,
        line=CostLine.MONITORING,
        why="one stack",
        region=GLOBAL,
    )
    if monitoring.grafana_cloud is GrafanaCloud.PRO:
        points = max(1.0, SECONDS_OF_ONE_DATA_POINT / monitoring.scrape_interval_seconds)
        yield Use(
            name="Grafana Cloud series",
            sku="grafana-series",
            quantity=month.grafana_series * points / 1_000,
            line=CostLine.MONITORING,
            why=f"{month.grafana_series:,.0f} series × {points:g} data points a minute",
            region=GLOBAL,
        )
