"""What the panels of a stage's dashboards ask of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dreamseed.planning.services.monitoring_grafana import planned_dashboards
from dreamseed.planning.stage_plan import StagePlan

RATE_INTERVAL = "5m"
"""What Grafana would write for $__rate_interval: at least four scrapes."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of a panel."""

    board: str
    panel: str
    expression: str


def expression_of(target: Mapping[str, Any]) -> str:
    """Return the PromQL of a panel's target."""
    return str(target["expr"]).replace("$__rate_interval", RATE_INTERVAL)


def panel_queries(plan: StagePlan) -> tuple[Query, ...]:
    """Return every query of every panel of the dashboards that the plan gives its Grafana."""
    return tuple(
        Query(board=board["title"], panel=panel["title"], expression=expression_of(target))
        for board in planned_dashboards(plan.containers)
        for panel in board["panels"]
        for target in panel.get("targets", ())
    )
