"""A promotion in tables, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dreamseed.planning.promotion import Action, Promotion
from dreamseed.planning.report.style import table


def promotion_tables(promotion: Promotion) -> RenderableType:
    """Return what happens to containers and volumes, and in which order services roll."""
    return Group(*_parts(promotion))


def _parts(promotion: Promotion) -> Iterator[RenderableType]:
    counts = ", ".join(f"{len(promotion.names(action))} {action}" for action in Action)
    hosts = f"; new hosts: {', '.join(promotion.hosts_added)}" if promotion.hosts_added else ""
    yield Text(f"{promotion.old} → {promotion.new}: {counts}, {promotion.unchanged} untouched{hosts}", style="bold")
    yield _containers(promotion)
    drawn = table("Volumes", "", "names")
    drawn.add_row("added", ", ".join(promotion.volumes_added) or "none")
    drawn.add_row("removed", ", ".join(promotion.volumes_removed) or "none")
    yield drawn
    rolls = table("Replaced one after the other", "service", "in this order")
    for service, names in promotion.rolls.items():
        rolls.add_row(service, ", ".join(names))
    yield rolls
    yield Text("Only the servers: `dreamseed rehearse` shows every resource, by the real engine.")


def _containers(promotion: Promotion) -> Table:
    """Return the containers, those alike in one row."""
    drawn = table("Containers", "action", "host", "containers", "because of")
    groups: dict[tuple[Action, str, tuple[str, ...]], list[str]] = {}
    for change in promotion.containers:
        groups.setdefault((change.action, change.host, change.fields), []).append(change.name)
    for (action, host, fields), names in sorted(groups.items(), key=lambda group: list(Action).index(group[0][0])):
        drawn.add_row(action.value, host, ", ".join(names), ", ".join(fields))
    return drawn
