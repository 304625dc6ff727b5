"""A stage's monitoring as it is planned, and what its Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config import StageConfig, load_stage, stage_file
from dreamseed.planning.container import Container, ServicePlan
from dreamseed.planning.hosts import Host
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.services.monitoring import plan_monitoring
from dreamseed.planning.services.monitoring_exporters import COMPONENT

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A shipped stage with its monitoring planned over everything else that it runs."""

    config: StageConfig
    hosts: tuple[Host, ...]
    services: tuple[ServicePlan, ...]
    monitoring: ServicePlan

    def again(self, change: Callable[[Container], Container | None]) -> ServicePlan:
        """Plan once more over containers that `change` changed, or took away by None."""
        changed = tuple(
            replace(plan, containers=tuple(new for old in plan.containers if (new := change(old)) is not None))
            for plan in self.services
        )
        return plan_monitoring(self.config, self.hosts, changed)


@cache
def planned(name: str) -> Planned:
    config = load_stage(stage_file(PROJECT, name))
    stage = plan_stage(config, name)
    services = tuple(plan for plan in stage.services if plan.component != COMPONENT)
    return Planned(
        config=config,
        hosts=stage.hosts,
        services=services,
        monitoring=plan_monitoring(config, stage.hosts, services),
    )


def container(plan: ServicePlan, name: str) -> Container:
    return next(container for container in plan.containers if container.name == name)


def settings(plan: ServicePlan, of: str = "prometheus", path: str = "/etc/prometheus/prometheus.yml") -> dict[str, Any]:
    file = next(file for file in container(plan, of).files if file.path == path)
    content: dict[str, Any] = yaml.load(file.text, Loader=yaml.CSafeLoader)
    return content


def scraped(plan: ServicePlan) -> dict[str, list[str]]:
    """The addresses that Prometheus scrapes, by job."""
    return {
        job["job_name"]: [address for entry in job["static_configs"] for address in entry["targets"]]
        for job in settings(plan)["scrape_configs"]
    }
