"""The picture of all stages side by side: one column a stage, one row a part of the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dreamseed.config.cloud import RecoveryKind
from dreamseed.config.operations import GrafanaCloud
from dreamseed.picture.drawing import Drawing
from dreamseed.picture.facts import size
from dreamseed.planning.hosts import Host
from dreamseed.planning.services import kafka, postgres, redis
from dreamseed.planning.stage_plan import StagePlan

WIDTH, LABEL_WIDTH, GAP = 1_000, 108, 8
HEADER_HEIGHT, ROW_HEIGHT, TOP = 54, 30, 16
SQUARE, TEXT_SIZE = 12, 12


def ladder_picture(plans: Sequence[StagePlan]) -> str:
    """Return the SVG of `plans`, in order."""
    drawing = Drawing(WIDTH)
    column = (WIDTH - LABEL_WIDTH - 2 * GAP) // len(plans) - GAP
    height = TOP + HEADER_HEIGHT + ROW_HEIGHT * len(ROWS) + GAP
    for number, plan in enumerate(plans):
        x = LABEL_WIDTH + 2 * GAP + number * (column + GAP)
        _column(drawing, plan, x, column, height - TOP)
    for number, label in enumerate(ROWS):
        y = TOP + HEADER_HEIGHT + number * ROW_HEIGHT
        drawing.text(GAP + 8, y + 20, label, TEXT_SIZE, bold=True)
    most = max(plan.config.api.max_instances for plan in plans)
    for plan_number, plan in enumerate(plans):
        x = LABEL_WIDTH + 3 * GAP + plan_number * (column + GAP)
        for number, paint in enumerate(ROWS.values()):
            paint(drawing, plan, x, TOP + HEADER_HEIGHT + number * ROW_HEIGHT, most)
    for number, line in enumerate(LEGEND):
        drawing.text(GAP + 8, height + 20 + 17 * number, line, TEXT_SIZE, "muted")
    return drawing.svg(height + 50, "The five growth stages side by side")


LEGEND = (
    "A frame is a host (the last at E: the witness VM), a square one GPU (joined: one engine) or one database, cache",
    "or Kafka node. A bar is as long as the most API instances; its grey part is always warm.",
)


def _column(drawing: Drawing, plan: StagePlan, x: int, width: int, height: int) -> None:
    capacity = plan.config.service.capacity
    drawing.box(x, TOP, width, height, "zone", 8)
    drawing.text(x + GAP, TOP + 28, plan.config.service.stage.value, 24, bold=True)
    drawing.text(x + GAP + 26, TOP + 20, f"{capacity.sign_ups:,} users", TEXT_SIZE, bold=True)
    drawing.text(x + GAP + 26, TOP + 37, f"{capacity.concurrent_users:,} at once", TEXT_SIZE, "muted")


def _frames(drawing: Drawing, x: int, y: int, style: str, counts: Sequence[Sequence[int]]) -> None:
    """Draw a frame for each host with squares in it; squares of one inner number are joined."""
    for runs in counts:
        width = sum(run * SQUARE for run in runs) + 4 * len(runs) + 4
        if not runs:
            continue
        drawing.box(x, y + 5, width, SQUARE + 10, "box", 4)
        at = x + 4
        for run in runs:
            drawing.box(at, y + 10, run * SQUARE, SQUARE, style, 2)
            for inner in range(1, run):
                drawing.box(at + inner * SQUARE - 1, y + 10, 1, SQUARE, "page", 0)
            at += run * SQUARE + 4
        x += width + 4
    if not any(counts):
        drawing.text(x, y + 20, "–", TEXT_SIZE, "muted")


def _gpus(drawing: Drawing, plan: StagePlan, x: int, y: int, _most: int) -> None:
    hosts = [host for host in plan.hosts if not host.in_cloud]
    engines = [[r.tensor_parallel for r in plan.layout.replicas_on(host.name)] for host in hosts]
    _frames(drawing, x, y, "gpu", engines)


def _per_host(hosts: Sequence[Host], placed: Sequence[str]) -> list[list[int]]:
    return [[1] * placed.count(host.name) for host in hosts]


def _postgres(drawing: Drawing, plan: StagePlan, x: int, y: int, _most: int) -> None:
    config, hosts = plan.config, plan.hosts
    shards = range(1, config.postgres.shards + 1)
    placed = [i.host.name for shard in shards for i in postgres.plan_instances(config, hosts, shard)]
    _frames(drawing, x, y, "database", _per_host(hosts, placed))


def _redis(drawing: Drawing, plan: StagePlan, x: int, y: int, _most: int) -> None:
    placed = [node.host.name for node in redis.plan_nodes(plan.config, plan.hosts)]
    _frames(drawing, x, y, "cache", _per_host(plan.hosts, placed))


def _kafka(drawing: Drawing, plan: StagePlan, x: int, y: int, _most: int) -> None:
    placed = [node.host.name for node in kafka.plan_nodes(plan.config, plan.hosts)]
    _frames(drawing, x, y, "events", _per_host(plan.hosts, placed))


def _api(drawing: Drawing, plan: StagePlan, x: int, y: int, most: int) -> None:
    """Draw a bar as long as the most instances, its warm part filled."""
    api, full = plan.config.api, 88
    length = max(4, full * api.max_instances // most)
    drawing.box(x, y + 10, length, SQUARE, "watch", 3)
    if api.min_instances:
        drawing.box(x, y + 10, max(4, full * api.min_instances // most), SQUARE, "tip", 3)
    drawing.text(x + length + 6, y + 20, f"{api.min_instances}–{api.max_instances}", TEXT_SIZE)


def _words(of: Callable[[StagePlan], str]) -> Callable[[Drawing, StagePlan, int, int, int], None]:
    """Return a row that writes a few words."""

    def paint(drawing: Drawing, plan: StagePlan, x: int, y: int, _most: int) -> None:
        drawing.text(x, y + 20, of(plan), TEXT_SIZE)

    return paint


def _recovery(plan: StagePlan) -> str:
    kind = plan.config.disaster_recovery.kind
    words = {RecoveryKind.LANDING: "+ Cloud SQL landing", RecoveryKind.STANDBY: "+ Cloud SQL standby"}
    return words.get(kind, "WAL archive" if plan.config.backup.wal_archive else "daily, weekly off-site")


def _monitoring(plan: StagePlan) -> str:
    monitoring = plan.config.monitoring
    if monitoring.grafana_cloud is not GrafanaCloud.NONE:
        return f"+ Grafana Cloud {monitoring.grafana_cloud.value.capitalize()}"
    return "+ Grafana" if monitoring.dashboards else "Prometheus"


ROWS: dict[str, Callable[[Drawing, StagePlan, int, int, int], None]] = {
    "Cloudflare": _words(lambda plan: f"{plan.config.edge.plan.value.capitalize()} plan, tunnel"),
    "API instances": _api,
    "GPUs": _gpus,
    "PostgreSQL": _postgres,
    "Redis": _redis,
    "Kafka": _kafka,
    "Backblaze B2": _words(lambda plan: f"{size(plan.config.object_store.planned_gib)} planned"),
    "Backups": _words(_recovery),
    "Monitoring": _words(_monitoring),
    "Link to cloud": _words(lambda plan: "tunnel + HA VPN" if plan.config.network.vpn else "tunnel"),
    "Budget": _words(lambda plan: f"{plan.config.budget.usd_per_month:,.0f} USD a month"),
}
"""The rows of the picture, from top to bottom."""
