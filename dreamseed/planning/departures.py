"""Where the growth plan contradicts itself or reality, and what the program does instead: shown where it bites.

The plan's intent wins over its letter. Source of the verdicts: the growth plan, section 12, and the facts it names
(vLLM 0.33 source; provider documentation read 2026-11-22; price lists of 2026-10 and 2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dreamseed.catalog.growth_plan import GPU_WATTS, GROWTH_PLAN, HOURS_PER_MONTH, USD_PER_KWH, PlannedStage
from dreamseed.catalog.model_shapes import Precision
from dreamseed.catalog.prices import BOOK, Price
from dreamseed.catalog.prices.model import GLOBAL, SECONDS_PER_MONTH
from dreamseed.config.cloud import RecoveryKind
from dreamseed.interval import Scenario
from dreamseed.planning.gpu import tensor_parallel_refusals
from dreamseed.planning.hosts import servers
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, kw_only=True)
class Departure:
    """One topic on which the program does not do what the plan says."""

    topic: str
    plan_says: str
    program_does: str
    why: str


def departures(plan: StagePlan) -> tuple[Departure, ...]:
    """Return the departures that concern the stage of `plan`, in the order of the growth plan's sections."""
    planned = GROWTH_PLAN[plan.config.service.stage]
    return tuple(departure for topic in _TOPICS for departure in topic(plan, planned))


def _tensor_parallel(plan: StagePlan, planned: PlannedStage) -> Iterator[Departure]:
    layout = plan.layout
    if len(layout.replicas) == 1:
        return
    refused = tensor_parallel_refusals(layout.intent.shape, planned.gpus, layout.intent.precision)
    engines = " and ".join(
        f"{' + '.join(f'tp{replica.tensor_parallel}' for replica in layout.replicas_on(server.name))} on {server.name}"
        for server in servers(plan.hosts)
    )
    why = (
        f"one engine of {planned.gpus} cannot be: {'; '.join(refused)}"
        if refused
        else (
            f"one engine of {planned.gpus} GPUs would be one fault domain, and these cards copy to each other through "
            "host memory only"
        )
    )
    yield Departure(
        topic="tensor parallelism",
        plan_says=f"vLLM on {planned.gpus} GPUs",
        program_does=f"{len(layout.replicas)} engines behind routers: {engines}",
        why=why,
    )


def _precision(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    if plan.config.vllm.precision is not Precision.FP16:
        yield Departure(
            topic="precision",
            plan_says="the model as published, in 16 bits, on 0.9 of a 32 GB card",
            program_does=f"{plan.config.vllm.precision} weights on every engine",
            why="26 GB of weights leave a single card no room for a request of full length, and replicas of different "
            "precision would answer differently",
        )


def _fault_domains(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    owned, votes = servers(plan.hosts), plan.topology.etcd
    if plan.config.postgres.instances > 1 and len(owned) == 1:
        yield Departure(
            topic="fault domains",
            plan_says=f"PostgreSQL HA, primary and {plan.config.postgres.instances - 1} replicas",
            program_does=f"all {plan.config.postgres.instances} instances on {owned[0].name}",
            why="with one server high availability survives a container or a disk, never the server",
        )
    if len(votes) == 1:
        yield Departure(
            topic="leader election",
            plan_says="nothing",
            program_does="one etcd member, and Patroni's failsafe mode while it is away",
            why="three members on one server would be lost together with it and are two more that can fail",
        )
    witness = next((host for host in plan.hosts if host.in_cloud), None)
    if witness is not None:
        yield Departure(
            topic="witness",
            plan_says=f"{len(owned)} fault domains",
            program_does=f"a small VM in the cloud, {witness.name}, that votes in etcd, Kafka and Redis",
            why="of two voters neither is a majority without the other: two servers alone survive the loss of none",
        )


def _cache_and_stream(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    if plan.config.redis.masters == 1:
        yield Departure(
            topic="Redis",
            plan_says="one Redis",
            program_does="a Redis cluster of one node",
            why="a single Redis cannot become a cluster while it runs; a cluster of one grows by adding nodes",
        )
    if plan.topology.promises_a_host and plan.config.kafka.brokers:
        kafka = plan.config.kafka
        yield Departure(
            topic="Kafka",
            plan_says=f"{kafka.brokers} brokers",
            program_does=f"{kafka.replication_factor} copies over two servers, {kafka.min_insync_replicas} confirm a "
            "write; three controllers, one on each server and one on the witness",
            why="three copies leave a single one on one of the servers, and its loss would stop writes",
        )
    asynchronous = [one.name for shard in plan.topology.shards for one in shard if one.asynchronous]
    if asynchronous:
        yield Departure(
            topic="PostgreSQL replicas",
            plan_says=f"primary and {plan.config.postgres.instances - 1} replicas",
            program_does=f"{', '.join(asynchronous)} only reads: it never confirms a commit nor becomes primary",
            why="a commit must be confirmed by the other server too, whichever instance is the primary",
        )


def _price(sku: str) -> Price:
    """Return the price of `sku`, which is the same everywhere."""
    price = BOOK.find(sku, GLOBAL)
    if price is None:
        raise LookupError(f"the price book has no {sku}")
    return price


def _money(plan: StagePlan, planned: PlannedStage) -> Iterator[Departure]:
    config = plan.config
    if planned.sum_usd != planned.budget_usd:
        yield Departure(
            topic="budget",
            plan_says=f"lines that add up to {planned.sum_usd} USD a month, and {planned.budget_usd} on the checklist",
            program_does=f"a budget of {config.budget.usd_per_month:g} USD, announced at "
            f"{', '.join(map(str, config.budget.alert_percent))} %",
            why="the checklist is what the stage is accepted by",
        )
    if config.edge.plan is not planned.cloudflare:
        yield Departure(
            topic="Cloudflare plan",
            plan_says=f"{planned.cloudflare} in the stage table, {planned.cloudflare_usd} USD in the cost table",
            program_does=f"{config.edge.plan}; edge.plan: {planned.cloudflare} is one word",
            why="spend only when users grow: Business costs 200 USD a month billed yearly, ten times Pro",
        )
    formula = planned.gpus * GPU_WATTS / 1_000 * HOURS_PER_MONTH * USD_PER_KWH
    yield Departure(
        topic="electricity",
        plan_says=f"{planned.electricity_usd} USD a month, and a formula that gives {formula:.2f}",
        program_does=f"counts the host's own draw beside {GPU_WATTS} W a GPU",
        why="the formula leaves the host out, whose draw the plan's line includes: measure it at the wall",
    )
    storage = _price("b2-storage")
    storage_usd = storage.gross_usd(config.object_store.planned_gib * 2**30 / 1e12, Scenario.EXPECTED)
    if storage_usd > planned.storage_usd:
        yield Departure(
            topic="Backblaze B2",
            plan_says=f"{planned.storage_usd} USD a month for storage",
            program_does=f"{storage_usd:.2f} USD when {config.object_store.planned_gib:,} GiB are full",
            why=f"a TB costs {storage.gross_usd(1, Scenario.EXPECTED):g} USD a month since 2026-05-01",
        )


def _cloud_run(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    api = plan.config.api
    yield Departure(
        topic="Cloud Run scaling",
        plan_says="knative annotations for the targets and a scale-down delay of 5 minutes",
        program_does="targets as fields of the v2 API (a preview feature), "
        f"{'set' if api.preview_scaling_targets else 'left at the default'}; no delay",
        why="the v2 API has no such annotations, and no delay can be set: idle instances stay for up to 15 minutes",
    )
    capacity = plan.config.service.capacity
    millions = capacity.requests_per_second_low * SECONDS_PER_MONTH / 1e6
    fee_usd = _price("run-requests").net_usd(millions, Scenario.EXPECTED)
    if fee_usd > plan.config.budget.usd_per_month:
        yield Departure(
            topic="requests per second",
            plan_says=f"{capacity.requests_per_second_low:,} to {capacity.requests_per_second_high:,} a second",
            program_does="takes them for peaks; cost takes an explicit load factor",
            why=f"even the lower figure, sustained, is {fee_usd:,.0f} USD a month in request fees alone, "
            f"and the budget is {plan.config.budget.usd_per_month:g}",
        )


def _burst(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    burst = plan.config.vllm.burst
    if burst.max_workers:
        yield Departure(
            topic="spot GPU",
            plan_says="n1-standard-8 with a T4 in us-central1-a, about 70 % cheaper",
            program_does=f"{burst.machine_type} with one L4, in any of {', '.join(burst.zones)}",
            why="a T4 of 16 GB cannot hold the model; spot saves about 40 % in us-central1 and up to 91 % elsewhere",
        )


def _recovery(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    recovery, backup = plan.config.disaster_recovery, plan.config.backup
    if not backup.wal_archive:
        yield Departure(
            topic="backup",
            plan_says="a weekly backup off the server, and a daily one",
            program_does="both: daily on the server, copied off it once a week",
            why="the plan says both; until WAL is archived, losing the server may lose a week",
        )
    if recovery.kind is RecoveryKind.NONE:
        return
    landing = recovery.kind is RecoveryKind.LANDING
    yield Departure(
        topic="disaster recovery",
        plan_says=f"Cloud SQL standby{', stopped' if landing else ' with HA'}, RPO {recovery.rpo_minutes} min",
        program_does=(
            f"a {'stopped Cloud SQL' if landing else 'Cloud SQL with HA'} that a job loads every "
            f"{recovery.refresh_hours} h, with that as its own RPO"
        )
        + f"; the RPO of {recovery.rpo_minutes} min is borne by the WAL archive and a restore VM",
        why=("a stopped Cloud SQL receives nothing, and " if landing else "one with HA cannot subscribe, and ")
        + "no Cloud SQL can follow a PostgreSQL of one's own physically",
    )


def _reaching(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    vpn = plan.config.network.vpn is not None
    yield Departure(
        topic="reaching the servers",
        plan_says="a static IP and a VPN" if vpn else "a domain",
        program_does="a Cloudflare tunnel that the servers open outward" + (", and a VPN beside it" if vpn else ""),
        why="no server listens on the internet, and the API reaches them in every stage the same way",
    )


def _signals(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    yield Departure(
        topic="GPU utilisation",
        plan_says="above 0.85, also as the signal to scale",
        program_does="above 85, as a warning; the queue of waiting requests is the signal that leads",
        why="DCGM counts from 0 to 100, and a single request already keeps a GPU busy",
    )
    after = plan.config.next_stage
    if after is None:
        return
    yield Departure(
        topic="triggers",
        plan_says="a list of thresholds, without and or or",
        program_does="any one of them, sustained, opens the review; promotion needs every line of the checklist",
        why="thresholds that must all hold would scale only after the service objectives are broken",
    )
    if after.network_mbit_per_second is not None:
        yield Departure(
            topic="network trigger",
            plan_says=f"above {after.network_mbit_per_second:,} Mbit/s",
            program_does="compares with the speed of the link",
            why="a link of 1 Gbit/s never carries more than that, so the threshold alone could never be met",
        )


def _not_built(plan: StagePlan, _planned: PlannedStage) -> Iterator[Departure]:
    if plan.config.next_stage is None:
        yield Departure(
            topic="CDN and sharding",
            plan_says="a multi-region CDN, an own point of presence, a database ready to shard",
            program_does=f"Cloudflare's tiered cache {'on' if plan.config.edge.tiered_cache else 'off'}; "
            f"postgres.shards: {plan.config.postgres.shards}, and a higher number adds clusters beside the first",
            why="Cloudflare's network is the multi-region CDN; a point of presence of one's own serves no user here",
        )


_TOPICS: tuple[Callable[[StagePlan, PlannedStage], Iterator[Departure]], ...] = (
    _tensor_parallel,
    _precision,
    _fault_domains,
    _cache_and_stream,
    _money,
    _cloud_run,
    _burst,
    _recovery,
    _reaching,
    _signals,
    _not_built,
)
