"""A plan in tables, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dreamseed.monitoring.series import LIMIT, data_points_a_minute
from dreamseed.planning.departures import departures
from dreamseed.planning.gpu import describe_layout
from dreamseed.planning.invariants import check_invariants
from dreamseed.planning.placement import SHARES, HostLoad
from dreamseed.planning.report.losses import loss_tables
from dreamseed.planning.report.style import mark, table
from dreamseed.planning.services.monitoring import plan_series
from dreamseed.planning.stage_plan import StagePlan


def plan_tables(plan: StagePlan, *, why: bool) -> RenderableType:
    """Return the plan as tables; with `why` also what was not chosen, every port, and every single loss."""
    return Group(*_parts(plan, why))


def _parts(plan: StagePlan, why: bool) -> Iterator[RenderableType]:
    capacity = plan.config.service.capacity
    yield Text(
        f"{plan.name}: stage {plan.config.service.stage}, {capacity.sign_ups:,} sign-ups, "
        f"{capacity.concurrent_users:,} concurrent users, {capacity.requests_per_second_low:,} to "
        f"{capacity.requests_per_second_high:,} requests/s",
        style="bold",
    )
    yield _servers(plan)
    yield _gpu_layout(plan, why)
    yield _containers(plan)
    yield _routes(plan)
    if why:
        yield _ports(plan)
    yield from _series(plan)
    yield _invariants(plan)
    yield from loss_tables(plan, every_loss=why)
    yield _departures(plan)
    if not why:
        yield Text("--why adds the GPU layouts that were not chosen, every port, and what each single loss does.")


def _servers(plan: StagePlan) -> Table:
    drawn = table("Servers", "host", "address", "containers", *(words for _, words in SHARES), "GPUs")
    for load in plan.loads:
        host = load.host
        shares = (_share(load, resource) for resource, _ in SHARES)
        drawn.add_row(host.name, host.address, str(load.containers), *shares, str(host.gpu_count))
    return drawn


def _share(load: HostLoad, resource: str) -> str:
    return f"{getattr(load, resource):,g} of {getattr(load.host, resource):,g} ({load.share(resource):.0%})"


def _gpu_layout(plan: StagePlan, why: bool) -> Table:
    drawn = table("GPU layout", "")
    drawn.show_header = False
    alternatives = len(plan.layout.alternatives)
    lines = describe_layout(plan.layout)
    for line in lines if why else lines[: len(lines) - alternatives]:
        drawn.add_row(line)
    return drawn


def _containers(plan: StagePlan) -> Table:
    """Return the containers by component and service, one column a host: how many, jobs in brackets."""
    drawn = table("Containers", "component", "service", *(host.name for host in plan.hosts), "MiB each", "image")
    groups: dict[tuple[str, str], list[int]] = {}
    containers = list(plan.containers)
    for index, container in enumerate(containers):
        groups.setdefault((container.component, container.service), []).append(index)
    for (component, service), members in groups.items():
        group = [containers[index] for index in members]
        counts = [sum(one.host == host.name for one in group) for host in plan.hosts]
        sizes = sorted({one.memory_mib for one in group})
        size = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        name = f"{service} (job)" if group[0].job else service
        image = group[0].image.partition("@")[0].rpartition("/")[2]
        drawn.add_row(component, name, *(str(count) if count else "" for count in counts), size, image)
    return drawn


def _routes(plan: StagePlan) -> Table:
    drawn = table("Through the tunnel", "name", "hostname", "leads to", "in the API")
    for route in plan.routes:
        inside = "HTTPS" if route.local_port is None else f"127.0.0.1:{route.local_port}"
        drawn.add_row(route.name, route.hostname, route.service, inside)
    return drawn


def _ports(plan: StagePlan) -> Table:
    drawn = table("Published ports", "host", "port", "container", "purpose")
    address = {host.name: host.address for host in plan.hosts}
    rows = [(one.host, port.published, one.name, port.purpose) for one in plan.containers for port in one.ports]
    for host, published, name, purpose in sorted(rows):
        drawn.add_row(host, f"{address[host]}:{published}", name, purpose)
    return drawn


def _series(plan: StagePlan) -> Iterator[Table]:
    series = plan_series(plan.config, plan.hosts, plan.services)
    if not series:
        return
    total = sum(one.total for one in series)
    drawn = table("Sent to Grafana Cloud, at most", "job", "targets", "series each", "series")
    for one in series:
        drawn.add_row(one.job, f"{one.targets:,}", f"{one.a_target:,}", f"{one.total:,}")
    points = data_points_a_minute(plan.config, series)
    drawn.add_row("all", "", f"{points:,} data points a minute", f"{total:,} of {LIMIT:,}")
    yield drawn


def _invariants(plan: StagePlan) -> Table:
    drawn = table("Promises between the parts", "", "rule", "this", "against that")
    for invariant in check_invariants(plan):
        drawn.add_row(mark(invariant.holds), invariant.name, invariant.left, invariant.right)
    return drawn


def _departures(plan: StagePlan) -> Table:
    drawn = table("Where the program departs from the growth plan", "topic", "the plan says", "the program does", "why")
    for departure in departures(plan):
        drawn.add_row(departure.topic, departure.plan_says, departure.program_does, departure.why)
    return drawn
