"""What a picture says of a stage, read from its plan: the groups of chips on each host and the boxes in the clouds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dreamseed.config.cloud import RecoveryKind
from dreamseed.config.operations import GrafanaCloud
from dreamseed.planning.container import Container
from dreamseed.planning.hosts import Host
from dreamseed.planning.object_store import plan_buckets
from dreamseed.planning.services import kafka, postgres, redis
from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One container, or several alike; `gpus` are the device numbers that it holds."""

    text: str
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """The chips of one component on one host; `style` is a class of the drawing."""

    label: str
    style: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A box in a cloud: a title and lines below it."""

    title: str
    lines: tuple[str, ...]


LABELS = {
    "vllm": ("vLLM", "engines"),
    "postgres": ("PostgreSQL", "database"),
    "redis": ("Redis", "cache"),
    "kafka": ("Kafka", "events"),
    "tunnel": ("Tunnel", "link-chip"),
    "monitoring": ("Monitoring", "watch"),
}
PROXIES = {"vllm": "router", "postgres": "proxy"}


def groups(plan: StagePlan, host: Host) -> tuple[Group, ...]:
    """Return what runs for good on `host`, component by component in the order of `LABELS`; jobs are left out."""
    named = _named_chips(plan)
    by_component: dict[str, list[Chip]] = {component: [] for component in LABELS}
    alike: dict[str, Counter[str]] = {}
    for container in plan.containers:
        if container.host != host.name or container.job:
            continue
        chips = by_component.setdefault(container.component, [])
        if container.name in named:
            chips.append(named[container.name])
        else:
            alike.setdefault(container.component, Counter())[_kind(container)] += 1
    for component, kinds in alike.items():
        by_component[component] += [
            Chip(text=f"{kind} × {count}" if count > 1 else kind)
            for kind, count in sorted(kinds.items(), key=lambda item: "exporter" in item[0])
        ]
    return tuple(
        Group(label=label, style=style, chips=tuple(chips))
        for component, chips in by_component.items()
        if chips
        for label, style in (LABELS.get(component, (component.capitalize(), "plain")),)
    )


def _named_chips(plan: StagePlan) -> Mapping[str, Chip]:
    """Return the chips of the containers that have a role of their own, by the container's name."""
    config, hosts = plan.config, plan.hosts
    chips = {
        engine_name(replica): Chip(text=f"engine tp{replica.tensor_parallel}", gpus=replica.gpu_indices)
        for replica in plan.layout.replicas
    }
    for shard in range(1, config.postgres.shards + 1):
        for instance in postgres.plan_instances(config, hosts, shard):
            role = "primary" if instance.number == 1 else "async replica" if instance.asynchronous else "replica"
            chips[instance.name] = Chip(text=f"{instance.name} {role}")
    for node in redis.plan_nodes(config, hosts):
        role = "master" if node.master else "replica"
        chips[node.name] = Chip(text=f"{node.name} {role}" if node.shard else _in_group(node.name))
    for member in kafka.plan_nodes(config, hosts):
        role = " votes" if member.controller and member.broker else ""
        chips[member.name] = Chip(text=f"{member.name}{role}" if member.broker else _in_group(member.name))
    chips |= {c.name: Chip(text=c.name) for c in plan.containers if c.service == "etcd"}
    return chips


def _in_group(name: str) -> str:
    """Return a witness's name without its component, which its group says already."""
    return name.partition("-")[2]


def _kind(container: Container) -> str:
    """Return what a container is called that is one of several alike: its image, or what that image does here."""
    if "@" in container.image:
        return " ".join(part for part in container.service.split("-") if part.isalpha() and part != "pg")
    if container.image == "haproxy":
        return PROXIES.get(container.component, "proxy")
    return container.image.replace("_", " ")


def size(gib: int) -> str:
    """Return a planned size in the plan's words: 100 GB, 2 TB (binary units, as B2's planned figures are)."""
    return f"{gib // 1_024:,} TiB" if gib % 1_024 == 0 else f"{gib:,} GiB"


def users(plan: StagePlan) -> Block:
    """Return whom the stage is built for."""
    capacity = plan.config.service.capacity
    return Block(title="Users", lines=(f"{capacity.sign_ups:,} sign-ups", f"{capacity.concurrent_users:,} at once"))


def cloudflare(plan: StagePlan) -> Block:
    """Return the zone."""
    edge = plan.config.edge
    lines = [f"{edge.plan.value.capitalize()} plan", "DNS, TLS, firewall, rate limit, cache"]
    lines.append(f"{len(plan.routes)} private names, each behind Access")
    return Block(title="Cloudflare", lines=tuple(lines))


def cloud_run(plan: StagePlan) -> Block:
    """Return the API."""
    api = plan.config.api
    return Block(
        title=f"Cloud Run: {api.name}",
        lines=(f"{api.min_instances}–{api.max_instances} instances, {api.cpu} vCPU and {api.memory_gib} GiB each",),
    )


def google_cloud(plan: StagePlan) -> tuple[Block, ...]:
    """Return what else stands in Google Cloud, without the witness."""
    config, blocks = plan.config, []
    recovery = config.disaster_recovery
    if recovery.kind is RecoveryKind.LANDING:
        stopped = "" if recovery.active else "stopped, "
        blocks.append(
            Block(title="Cloud SQL, landing place", lines=(f"{stopped}loaded every {recovery.refresh_hours} h",))
        )
    elif recovery.kind is RecoveryKind.STANDBY:
        blocks.append(Block(title="Cloud SQL, standby", lines=(f"two zones, loaded every {recovery.refresh_hours} h",)))
    if recovery.active:
        blocks.append(Block(title="Restore VM", lines=("exists while the disaster lasts",)))
    burst = config.vllm.burst
    if burst.max_workers:
        blocks.append(
            Block(title="Spot GPU, template only", lines=(f"at most {burst.max_workers} × {burst.machine_type}",))
        )
    if config.network.vpn is not None:
        blocks.append(Block(title="HA VPN", lines=("two tunnels to the owners' router",)))
    return tuple(blocks)


def backblaze(plan: StagePlan) -> Block:
    """Return the buckets, region by region, and how the database gets there."""
    config = plan.config
    regions: dict[str, list[str]] = {}
    for bucket in plan_buckets(config, plan.name):
        regions.setdefault(bucket.region, []).append(bucket.role.value)
    lines = [f"{size(config.object_store.planned_gib)} planned"]
    lines += [f"{region}: {', '.join(roles)}" for region, roles in regions.items()]
    return Block(title="Backblaze B2", lines=tuple(lines))


def off_site(plan: StagePlan) -> str:
    """Return what the servers send to Backblaze."""
    return "WAL + backups" if plan.config.backup.wal_archive else "weekly copy"


def grafana_cloud(plan: StagePlan) -> Block | None:
    """Return the hosted Grafana, if the stage has it."""
    kind = plan.config.monitoring.grafana_cloud
    return (
        None if kind is GrafanaCloud.NONE else Block(title="Grafana Cloud", lines=(f"{kind.value.capitalize()} plan",))
    )
