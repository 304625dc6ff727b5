"""A plan as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dreamseed.planning.container import Container
from dreamseed.planning.departures import departures
from dreamseed.planning.gpu import describe_layout
from dreamseed.planning.invariants import check_invariants
from dreamseed.planning.promotion import Action, Promotion
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import survivability


def show_plan(plan: StagePlan, console: Console, *, why: bool) -> None:
    """Print `plan`; with `why` also the GPU layouts that were not chosen."""
    capacity = plan.config.service.capacity
    console.print(
        f"{plan.name}: {capacity.sign_ups:,} sign-ups, {capacity.concurrent_users:,} at once, "
        f"budget {plan.config.budget.usd_per_month:g} USD a month",
        style="bold",
    )
    console.print(_hosts(plan))
    _show_layout(plan, console, why=why)
    console.print(_containers(plan))
    console.print(_survivability(plan))
    console.print(_invariants(plan))
    console.print(_departures(plan))


def show_promotion(promotion: Promotion, console: Console) -> None:
    """Print what `promotion` does to the servers' tier."""
    table = _table(f"{promotion.old} → {promotion.new}, servers' tier", ("container", "host", "what", "differs in"))
    for change in promotion.containers:
        if change.action is not Action.ADDED:
            table.add_row(change.name, change.host, change.action.value, ", ".join(change.fields))
    console.print(table)
    console.print(f"added: {', '.join(promotion.names(Action.ADDED)) or 'nothing'}")
    console.print(f"untouched: {promotion.unchanged} containers")
    console.print(f"data volumes added: {', '.join(promotion.volumes_added) or 'none'}; removed or moved: none")
    for service, members in promotion.rolls.items():
        console.print(f"{service}: one after the other: {', '.join(members)}")


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", pad_edge=False, box=None, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _hosts(plan: StagePlan) -> Table:
    table = _table("\nHosts", ("host", "address", "GPUs", "containers", "memory GiB", "CPU cores", "disk GiB"))
    for load in plan.loads:
        host = load.host
        table.add_row(
            host.name,
            host.address,
            str(host.gpu_count),
            str(load.containers),
            f"{load.memory_mib / 1024:.1f} of {host.memory_mib / 1024:.1f}",
            f"{load.cpu_cores:g} of {host.cpu_cores}",
            f"{load.disk_gib} of {host.disk_gib}",
        )
    return table


def _show_layout(plan: StagePlan, console: Console, *, why: bool) -> None:
    lines = describe_layout(plan.layout)
    others = len(plan.layout.alternatives)
    console.print("\nGPU layout", style="bold")
    for line in lines if why else lines[: len(lines) - others]:
        console.print(line, markup=False)
    if others and not why:
        console.print(f"{others} other layouts were refused or ranked lower: --why says why", style="dim")


def _containers(plan: StagePlan) -> Table:
    table = _table("\nContainers", ("component", "container", "host", "MiB", "cores", "published", "replaced after"))
    component = ""
    for container in plan.containers:
        table.add_row(
            container.component if container.component != component else "",
            container.name + (" (job)" if container.job else ""),
            container.host,
            str(container.memory_mib),
            f"{container.cpu_cores:g}",
            _ports(container),
            ", ".join(container.after),
        )
        component = container.component
    return table


def _ports(container: Container) -> str:
    return ", ".join(str(port.published) for port in container.ports)


def _survivability(plan: StagePlan) -> Table:
    table = _table("\nSingle losses", ("component", "lost", "which", "goes on", "data lost", "what happens"))
    component = ""
    for claim in survivability(plan):
        table.add_row(
            claim.component if claim.component != component else "",
            claim.loss.value,
            claim.target,
            Text("yes", style="green") if claim.survives else Text("no", style="red"),
            claim.data_lost.value,
            claim.consequence,
        )
        component = claim.component
    return table


def _invariants(plan: StagePlan) -> Table:
    table = _table("\nInvariants across components", ("rule", "this", "holds against"))
    for invariant in check_invariants(plan):
        table.add_row(invariant.name, invariant.left, invariant.right)
    return table


def _departures(plan: StagePlan) -> Table:
    table = _table("\nWhere the program departs from the growth plan", ("topic", "plan", "program", "why"))
    _add_rows(table, ((d.topic, d.plan_says, d.program_does, d.why) for d in departures(plan)))
    return table


def _add_rows(table: Table, rows: Iterable[tuple[str, ...]]) -> None:
    for row in rows:
        table.add_row(*row)
