"""Cloud Run: how many instances are active on average, and what either way of billing charges for them.

A request-based instance is active while at least one request is open, whatever it does meanwhile; a minimum instance is
idle, at a tenth of the CPU price, while none is. An instance-based one is billed from start to end, active or not.
Source: cloud.google.com/run/pricing; the model of activity is this project's own, see docs/explanation/cost.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.model import HOURS_PER_MONTH, SECONDS_PER_MONTH
from dreamseed.catalog.prices.run import IDLE_LINGER_SECONDS
from dreamseed.config.cloud import Api, Billing
from dreamseed.cost.quantities.load import Load
from dreamseed.cost.quantities.use import Month, Use
from dreamseed.planning.api import SIDECAR_CPU_MILLICORES, SIDECAR_MEMORY_MIB

JOB_CPU, JOB_MEMORY_GIB = 2.0, 1.5
"""Both containers of the load's job: one vCPU each, 1 GiB and 512 MiB."""


def instance_cpu(api: Api) -> float:
    """Return the vCPU that are billed for one instance: the API's and the sidecar's, which may be a fraction."""
    return api.cpu + SIDECAR_CPU_MILLICORES / 1_000


def instance_memory_gib(api: Api) -> float:
    """Return the GiB that are billed for one instance."""
    return api.memory_gib + SIDECAR_MEMORY_MIB / 1_024


def active_instances(api: Api, load: Load, cpu_seconds: float, spread: float) -> float:
    """Return how many instances have a request open, on average.

    Requests that are spread over k warm instances leave each idle for a share of e^(−open/k) of the time (Poisson);
    `spread` moves k from one (packed) to all minimum instances (even). CPU time and request slots, at their target
    utilisation, are lower bounds, and the maximum is an upper one.
    """
    warm = 1 + (max(api.min_instances, 1) - 1) * spread
    return min(
        float(api.max_instances),
        max(
            warm * -math.expm1(-load.open_requests / warm),
            load.requests_per_second * cpu_seconds / (api.cpu * api.cpu_utilization_target),
            load.open_requests / (api.concurrency * api.concurrency_utilization_target),
        ),
    )


def living_instances(api: Api, load: Load, active: float) -> float:
    """Return how many instance-based instances live on average: idle ones linger, minimum ones stay."""
    lingering = -math.expm1(-load.requests_per_second * IDLE_LINGER_SECONDS)
    return max(float(api.min_instances), active, lingering)


def api_uses(month: Month, load: Load) -> Iterator[Use]:
    """Yield what the API's instances and requests are billed for."""
    api = month.plan.config.api
    active = active_instances(api, load, month.request_cpu_milliseconds / 1_000, month.warm_spread_ratio)
    if api.billing is Billing.INSTANCE:
        yield from _instance_based(month, living_instances(api, load, active))
        return
    yield from _request_based(month, active)
    yield Use(
        name="API requests",
        sku="run-requests",
        quantity=load.requests_per_month / 1e6,
        line=CostLine.CLOUD_RUN,
        why=f"{load.requests_per_second:,.1f} requests/s on average × {SECONDS_PER_MONTH:,} s",
        region=month.region,
    )


def _request_based(month: Month, active: float) -> Iterator[Use]:
    api = month.plan.config.api
    both = min(active, api.min_instances) * SECONDS_PER_MONTH
    for what, size, unit in (("CPU", instance_cpu(api), "vCPU"), ("memory", instance_memory_gib(api), "GiB")):
        kind = what.lower()
        if api.min_instances:
            yield Use(
                name=f"API minimum instances, {what}",
                sku=f"run-idle-{kind}",
                quantity=api.min_instances * size * SECONDS_PER_MONTH,
                line=CostLine.CLOUD_RUN,
                why=f"{api.min_instances} × {size:g} {unit}, all month, as if always idle",
                region=month.region,
            )
        yield Use(
            name=f"API active instances, {what}",
            sku=f"run-request-{kind}",
            quantity=active * size * SECONDS_PER_MONTH,
            line=CostLine.CLOUD_RUN,
            why=f"{active:.2f} instances active on average × {size:g} {unit}; an active minimum instance is not idle, "
            "so its idle price is taken off",
            region=month.region,
            paid_as=f"run-idle-{kind}" if api.min_instances else "",
            paid_quantity=both * size if api.min_instances else 0.0,
        )


def _instance_based(month: Month, living: float) -> Iterator[Use]:
    api = month.plan.config.api
    for what, size, unit in (("CPU", instance_cpu(api), "vCPU"), ("memory", instance_memory_gib(api), "GiB")):
        yield Use(
            name=f"API instances, {what}",
            sku=f"run-instance-{what.lower()}",
            quantity=living * size * SECONDS_PER_MONTH,
            line=CostLine.CLOUD_RUN,
            why=f"{living:.2f} instances alive on average × {size:g} {unit}, without a fee for requests",
            region=month.region,
        )


def job_uses(month: Month) -> Iterator[Use]:
    """Yield what the job that loads the landing place is billed for; jobs are instance-based."""
    if month.plan.recovery is None:
        return
    seconds = refresh_hours_per_month(month) * 3_600
    for kind, size in (("cpu", JOB_CPU), ("memory", JOB_MEMORY_GIB)):
        yield Use(
            name=f"recovery load's job, {'CPU' if kind == 'cpu' else 'memory'}",
            sku=f"run-instance-{kind}",
            quantity=seconds * size,
            line=CostLine.NOT_PLANNED,
            why=f"a load every {month.plan.config.disaster_recovery.refresh_hours} h, of {month.refresh_minutes:g} min",
            region=month.region,
        )


def refresh_hours_per_month(month: Month) -> float:
    """Return the hours in which loads run; a load that takes longer than its interval runs always."""
    loads = HOURS_PER_MONTH / month.plan.config.disaster_recovery.refresh_hours
    return min(float(HOURS_PER_MONTH), loads * month.refresh_minutes / 60)
