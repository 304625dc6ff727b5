"""The knobs, and what each of their values gives up: the one table of it, each row with its source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import TypeVar

from dreamseed.catalog.cloudflare_plans import PLAN_LIMITS
from dreamseed.catalog.cloudflare_plans import SOURCE as CLOUDFLARE_SOURCE
from dreamseed.catalog.model_shapes import Precision
from dreamseed.catalog.prices import BOOK
from dreamseed.catalog.prices.run import RUN_REGION_TIERS
from dreamseed.catalog.provenance import Evidence, Provenance
from dreamseed.config import StageConfig
from dreamseed.config.cloud import CLOUD_RUN_MIN_MEMORY_GIB, Billing, CloudflarePlan, RecoveryKind
from dreamseed.config.operations import GrafanaCloud
from dreamseed.cost.fit.setting import NIGHT_HOURS, Knob, Setting
from dreamseed.cost.quantities.stores import SECONDS_OF_ONE_DATA_POINT
from dreamseed.cost.what_if import NAMED

READ_ON = date(2026, 11, 24)
NO_CLOCK = "the program declares no clock that sets the minimum twice a day"
COLD_START_SECONDS = (0.5, 8.0)
CLOUD_RUN_MAX_CONCURRENCY = 1_000
LEAST_ROUND_TRIP_MS = {"us-central1": 102, "asia-northeast3": 0}
"""To users in Seoul: twice the great circle of 10,229 km from Council Bluffs, at 200,000 km/s in fibre."""
USERS_TIME_ZONE = "Asia/Seoul"

KEPT = Setting(losses=(0,))
"""The stage file's own value of a knob that trades one thing."""
Value = TypeVar("Value")


def _billing(config: StageConfig) -> tuple[Setting, ...]:
    if config.api.billing is Billing.REQUEST:
        return (KEPT, Setting(change={"api": {"billing": Billing.INSTANCE.value}}, losses=(0,)))
    lost = "CPU between requests: work after an answer nearly stands still"
    return (KEPT, Setting(change={"api": {"billing": Billing.REQUEST.value}}, losses=(1,), gives_up=lost))


def _warm(config: StageConfig) -> tuple[Setting, ...]:
    file = config.api.min_instances
    counts = sorted({file, -(-file // 2), min(file, 1), 0}, reverse=True)
    all_day = [
        Setting(
            change={} if count == file else {"api": {"min_instances": count}},
            losses=(file - count, file - count),
            gives_up=_cold(count, file) if count < file else "",
        )
        for count in counts
    ]
    by_hour = [
        Setting(
            change={"api": {"min_instances": day}},
            night={"api": {"min_instances": night}},
            losses=(file - day, file - night),
            gives_up=(f"from {NIGHT_HOURS:02}:00 on: {_cold(day, file)}; " if day < file else "")
            + f"until {NIGHT_HOURS:02}:00: {_cold(night, file)}; {NO_CLOCK}",
        )
        for day, night in combinations(counts, 2)
    ]
    return (*all_day, *by_hour)


def _cold(count: int, file: int) -> str:
    least, most = COLD_START_SECONDS
    who = "the first request" if count == 0 else "a request beyond what they hold"
    return f"{count} instead of {file} instances kept warm: {who} waits {least:g} to {most:g} s for a cold start"


def _size(config: StageConfig) -> tuple[Setting, ...]:
    api = config.api
    half = api.cpu // 2
    if api.cpu % 2 or half not in CLOUD_RUN_MIN_MEMORY_GIB:
        return (KEPT,)
    memory_gib = max(api.memory_gib // 2, CLOUD_RUN_MIN_MEMORY_GIB[half])
    lost = (
        f"{half} vCPU and {memory_gib} GiB an instance instead of {api.cpu} and {api.memory_gib}: requests at the same "
        "time wait for each other sooner, a cold start takes longer"
    )
    return (KEPT, Setting(change={"api": {"cpu": half, "memory_gib": memory_gib}}, losses=(1,), gives_up=lost))


def _concurrency(config: StageConfig) -> tuple[Setting, ...]:
    file = config.api.concurrency
    double = min(2 * file, CLOUD_RUN_MAX_CONCURRENCY)
    if double == file:
        return (KEPT,)
    lost = f"latency at peaks: {double} instead of {file} requests share an instance's CPU"
    return (KEPT, Setting(change={"api": {"concurrency": double}}, losses=(1,), gives_up=lost))


def _from(values: Sequence[Value], file: Value) -> tuple[tuple[int, Value], ...]:
    """Return the values from the file's own on, each with its number; `values` begin with the best."""
    start = list(values).index(file)
    return tuple(enumerate(values))[start:]


def _cloudflare(config: StageConfig) -> tuple[Setting, ...]:
    file = config.edge.plan
    return tuple(
        Setting(
            change={} if plan is file else {"edge": {"plan": plan.value}},
            losses=(loss,),
            gives_up="" if plan is file else _edge_loss(plan, file),
        )
        for loss, plan in _from((CloudflarePlan.BUSINESS, CloudflarePlan.PRO, CloudflarePlan.FREE), file)
    )


def _edge_loss(plan: CloudflarePlan, file: CloudflarePlan) -> str:
    has, had = PLAN_LIMITS[plan], PLAN_LIMITS[file]
    lost = [
        words
        for words, now, before in (
            ("WAF: no managed rules", has.managed_rulesets, had.managed_rulesets),
            ("no rules by regular expression", has.regular_expressions, had.regular_expressions),
            ("no uptime SLA", has.uptime_sla, had.uptime_sla),
            ("rate limits that cannot see the host", has.rate_limit_by_host, had.rate_limit_by_host),
        )
        if before and not now
    ]
    counts = f"{has.custom_rules} instead of {had.custom_rules} rules of one's own"
    return f"Cloudflare {plan} instead of {file}: {'; '.join((*lost, counts))}"


def _recovery(config: StageConfig) -> tuple[Setting, ...]:
    recovery = config.disaster_recovery
    rpo = f"RPO stays {recovery.rpo_minutes} min, borne by the WAL archive"
    age = f"Cloud SQL's own data is up to {recovery.refresh_hours} h old"
    losses = {
        RecoveryKind.STANDBY: "",
        RecoveryKind.LANDING: f"RTO: Cloud SQL is stopped and must start, in one zone instead of two; {age}; {rpo}",
        RecoveryKind.NONE: "RTO: no copy in Cloud SQL, and no machine to restore to until the kind is set again and "
        f"applied, time not measured; {rpo}",
    }
    return tuple(
        Setting(
            change={} if kind is recovery.kind else {"disaster_recovery": {"kind": kind.value}},
            losses=(loss,),
            gives_up="" if kind is recovery.kind else losses[kind],
        )
        for loss, kind in _from(tuple(losses), recovery.kind)
    )


def _monitoring(config: StageConfig) -> tuple[Setting, ...]:
    monitoring = config.monitoring
    free = BOOK.find("grafana-free", config.service.region)
    points = max(1.0, SECONDS_OF_ONE_DATA_POINT / monitoring.scrape_interval_seconds)
    series = config.usage.grafana_series
    losses = {
        GrafanaCloud.PRO: "",
        GrafanaCloud.FREE: f"hosted Grafana of {free.note if free else 'the free plan'}; the stage writes "
        f"{series.expected * points:,.0f} series by its data points, {series.high * points:,.0f} at most",
        GrafanaCloud.NONE: "no hosted Grafana: no alerts of the model, the database and the cache while the server "
        "that watches them is gone",
    }
    return tuple(
        Setting(
            change={} if plan is monitoring.grafana_cloud else {"monitoring": {"grafana_cloud": plan.value}},
            losses=(loss,),
            gives_up="" if plan is monitoring.grafana_cloud else losses[plan],
        )
        for loss, plan in _from(tuple(losses), monitoring.grafana_cloud)
    )


def _region(config: StageConfig) -> tuple[Setting, ...]:
    """Return regions that are no nearer to the users; where they are is known for one time zone only."""
    file = config.service.region
    if config.service.time_zone != USERS_TIME_ZONE or file not in LEAST_ROUND_TRIP_MS:
        return (KEPT,)
    near = LEAST_ROUND_TRIP_MS[file]
    farther = (
        Setting(
            change=NAMED["region"][0](region),
            losses=(LEAST_ROUND_TRIP_MS[region],),
            gives_up=f"latency: {region} is at least {LEAST_ROUND_TRIP_MS[region]} ms a round trip from Seoul, {file} "
            f"{near}; a stage that is up cannot move, its region is immutable",
        )
        for region in RUN_REGION_TIERS
        if LEAST_ROUND_TRIP_MS.get(region, near) > near
    )
    return (Setting(losses=(near,)), *farther)


def _precision(config: StageConfig) -> tuple[Setting, ...]:
    """Return number formats where one changes a bill: workers in the cloud load the weights over a network.

    AWQ is not among them: it is another checkpoint, and the model is immutable.
    """
    file = config.vllm.precision
    if not config.vllm.burst.max_workers or file is not Precision.FP16:
        return (KEPT,)
    lost = f"answers' quality: {Precision.FP8} instead of {file}; how much is not measured here"
    return (KEPT, Setting(change={"vllm": {"precision": Precision.FP8.value}}, losses=(1,), gives_up=lost))


def _source(text: str, evidence: Evidence) -> Provenance:
    return Provenance(source=text, recorded_on=READ_ON, evidence=evidence)


KNOBS: tuple[Knob, ...] = (
    Knob(
        name="Cloud Run billing",
        settings=_billing,
        provenance=_source("Cloud Run documentation, billing settings, as recorded 2026-11-22", Evidence.DOCUMENTED),
    ),
    Knob(
        name="warm instances",
        settings=_warm,
        provenance=_source(
            "public guides: 0.5 to 3 s and more (mindfulchase.com, Cloud Run cold starts), 2 to 8 s (deployu.ai); the "
            "owners' image was not measured",
            Evidence.REPORTED,
        ),
    ),
    Knob(
        name="instance size",
        settings=_size,
        provenance=_source("Cloud Run's sizes (config/cloud.py); the wait was not measured", Evidence.ESTIMATED),
    ),
    Knob(
        name="concurrency",
        settings=_concurrency,
        provenance=_source(
            "Cloud Run documentation, concurrency of at most 1,000, recalled; the wait was not measured",
            Evidence.UNVERIFIED,
        ),
    ),
    Knob(name="Cloudflare plan", settings=_cloudflare, provenance=CLOUDFLARE_SOURCE),
    Knob(
        name="disaster recovery",
        settings=_recovery,
        provenance=_source("planning/recovery.py and docs/surprises.md, section 2", Evidence.DOCUMENTED),
        structural=True,
    ),
    Knob(
        name="monitoring plan",
        settings=_monitoring,
        provenance=_source("grafana.com/pricing, transcribed 2026-05-25", Evidence.DOCUMENTED),
    ),
    Knob(
        name="region",
        settings=_region,
        provenance=_source("great circle and light in fibre: a lower bound, nothing measured", Evidence.ESTIMATED),
        structural=True,
    ),
    Knob(
        name="precision",
        settings=_precision,
        provenance=_source("number formats of catalog/model_shapes.py", Evidence.UNVERIFIED),
        structural=True,
    ),
)
"""Every knob that is tried, in the order in which what they give up is listed."""
