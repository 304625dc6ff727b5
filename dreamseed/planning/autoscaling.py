"""What the autoscaler is told: the stage's workers, what their hours can cost, and how much of that a month may hold.

A month's cap is what the estimate of the stage already counts as its worst case: `usage.burst_hours.high` hours at the
price to which a spot machine can rise. Times are choices, named as such; a model of 13B was never loaded on an L4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time

from autoscaler.bounds import BoundsPolicy
from autoscaler.policy import Life, LookAhead, Policy, Purchase, Spending, Zone
from autoscaler.settings import Bounds, BoundsQueries, Queries, Settings
from dreamseed.catalog.prices import BOOK, Price, PriceBook
from dreamseed.catalog.prices.compute import on_demand_sku, spot_sku
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.config import StageConfig
from dreamseed.config.cloud import Billing
from dreamseed.config.usage import BurstPricing
from dreamseed.cost.quantities.cloud_run import instance_cpu, instance_memory_gib
from dreamseed.interval import Scenario
from dreamseed.monitoring.alerts_service import TAIL_ALERT, percentile_seconds
from dreamseed.planning.burst import DISK_GIB, BurstPlan, secret_prefix
from dreamseed.planning.gpu import GpuLayout

CARD_LEAD_DAYS = 14
"""From the order of a card until it serves. A choice: ask the shop."""
CALM_SHARE = 0.5
"""Of the objective of the API's p99, below which fewer instances are kept warm. A choice."""
DAYS_HOURS_SHARE = 0.5
"""Of the month's hours, what one day may take."""
PROVISIONING_SECONDS, DRIVER_AND_IMAGE_SECONDS, WEIGHTS_SECONDS, ENGINE_SECONDS = 60, 120, 110, 190
"""The parts of a cold start. Estimates: 10 GB of image and 13 GB of weights at about 1 Gbit/s; the engine's own start
took from 70 s (a tiny model on a CPU) to more than 300 s (30B, fp8) in public reports."""
COLD_START_SECONDS = PROVISIONING_SECONDS + DRIVER_AND_IMAGE_SECONDS + WEIGHTS_SECONDS + ENGINE_SECONDS


def plan_policy(config: StageConfig, layout: GpuLayout, burst: BurstPlan, book: PriceBook = BOOK) -> Policy:
    """Return the autoscaler's policy."""
    region, hours = config.service.region, config.usage.burst_hours.high
    usd, expires_at = hour(burst, config.usage.burst_pricing, region, book, Scenario.HIGH)
    card = config.servers[next(iter(config.servers))].gpus.model
    return Policy(
        owner=secret_prefix(config.service.name),
        max_workers=config.vllm.burst.max_workers,
        owned_kv_tokens=layout.kv_tokens,
        worker_kv_tokens=burst.engine.kv_tokens,
        zones=tuple(Zone(name=zone, usd_per_hour=usd, price_expires_at=expires_at) for zone in burst.zones),
        spending=Spending(
            cap_usd_per_month=round(hours * (usd or 0.0), 2),
            max_hours_per_episode=config.vllm.burst.max_run_hours,
            max_worker_hours_per_day=max(2 * config.vllm.burst.max_run_hours, hours * DAYS_HOURS_SHARE),
        ),
        life=Life(max_run_seconds=burst.max_run_seconds, cold_start_seconds=COLD_START_SECONDS),
        purchase=Purchase(card=card, usd=_card_usd(card, book), lead_days=CARD_LEAD_DAYS),
        look_ahead=LookAhead(),
    )


def plan_settings(config: StageConfig, layout: GpuLayout, burst: BurstPlan, template: str) -> Settings:
    """Return what the daemon is told; `template` is the workers' template, as its self link.

    What the month leaves is counted from the stage's worst case, the limit that nothing may pass: its budget is passed
    already by the expected cost, which `dreamseed cost` tells.
    """
    return Settings(
        policy=plan_policy(config, layout, burst),
        queries=Queries(headroom_usd=_headroom(config)),
        project=config.service.gcp_project,
        template=template,
        bounds=plan_bounds(config),
    )


def plan_bounds(config: StageConfig, book: PriceBook = BOOK) -> Bounds | None:
    """Return how the API's warm instances follow its p99; null where nothing may be spent on that.

    An instance that is kept warm costs at most what it costs while it idles, as Cloud Run is billed here.
    """
    api, service = config.api, config.service
    if not api.warm_cap_usd_per_month:
        return None
    usd, expires_at = _warm_hour(config, book)
    return Bounds(
        policy=BoundsPolicy(
            least=api.min_instances,
            most=api.max_instances,
            calm_seconds=config.slo.api_p99_ms * CALM_SHARE / 1_000,
            usd_per_hour=usd,
            price_expires_at=expires_at,
            cap_usd_per_month=api.warm_cap_usd_per_month,
        ),
        queries=BoundsQueries(
            taken_at='max(timestamp(http_request_duration_seconds_count{job="api"}))',
            firing=f'max(ALERTS{{alertname="{TAIL_ALERT}",alertstate="firing"}}) or vector(0)',
            tail_seconds=percentile_seconds(99),
            headroom_usd=_headroom(config),
        ),
        service=f"projects/{service.gcp_project}/locations/{service.region}/services/{api.name}",
    )


def _warm_hour(config: StageConfig, book: PriceBook) -> tuple[float | None, float]:
    api = config.api
    kind = "idle" if api.billing is Billing.REQUEST else "instance"
    sizes = {"cpu": instance_cpu(api), "memory": instance_memory_gib(api)}
    found = {what: book.find(f"run-{kind}-{what}", config.service.region) for what in sizes}
    rows = {what: row for what, row in found.items() if row is not None}
    if len(rows) < len(sizes):
        return None, 0.0
    usd = sum(row.gross_usd(3_600 * sizes[what], Scenario.HIGH) for what, row in rows.items())
    return usd, _fresh_until(rows.values())


def _headroom(config: StageConfig) -> str:
    return f"{config.budget.guardrails.worst_case_usd_per_month:g} - sum(edu_cost_month_forecast)"


def _fresh_until(rows: Iterable[Price]) -> float:
    last_day = min(row.source.expires_on for row in rows)
    return datetime.combine(last_day, time.max, UTC).timestamp()


def hour(
    burst: BurstPlan, pricing: BurstPricing, region: str, book: PriceBook, scenario: Scenario
) -> tuple[float | None, float]:
    """Return what a worker's hour costs with its disk and address, and until when its prices are fresh (Unix seconds).

    Null where one of the prices is unknown: then no worker may be bought.
    """
    spot = pricing is BurstPricing.SPOT
    wanted = (
        (spot_sku(burst.machine.name) if spot else on_demand_sku(burst.machine.name), 1.0),
        ("disk-balanced", DISK_GIB / HOURS_PER_MONTH),
        ("address-in-use-spot" if spot else "address-in-use", 1.0),
    )
    rows: list[tuple[Price, float]] = []
    for sku, quantity in wanted:
        row = book.find(sku, region)
        if row is None:
            return None, 0.0
        rows.append((row, quantity))
    usd = sum(row.gross_usd(quantity, scenario) for row, quantity in rows)
    return usd, _fresh_until(row for row, _ in rows)


def _card_usd(card: str, book: PriceBook) -> float:
    row = book.find(f"gpu-{card}", "global")
    return row.gross_usd(1, Scenario.HIGH) if row is not None else 0.0
