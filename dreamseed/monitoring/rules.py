"""Prometheus' rules of a stage.

A rule stands in a stage exactly when every job that its expression reads is there: no Kafka alert without Kafka.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.monitoring.alerts_access import access_group
from dreamseed.monitoring.alerts_autoscaler import autoscaler_group
from dreamseed.monitoring.alerts_backups import backups_group
from dreamseed.monitoring.alerts_data import database_group
from dreamseed.monitoring.alerts_growth import growth_group
from dreamseed.monitoring.alerts_llm import llm_group
from dreamseed.monitoring.alerts_operations import cost_group, hosts_group, monitoring_group
from dreamseed.monitoring.alerts_service import service_group
from dreamseed.monitoring.alerts_slo import budgets_group, objectives_group
from dreamseed.monitoring.alerts_stores import cache_group, events_group
from dreamseed.monitoring.contract import PUSHED
from dreamseed.monitoring.metrics import Job, jobs_of
from dreamseed.monitoring.model import Alert, Fleet, Group, Recording


def rule_groups(config: StageConfig, jobs: Set[Job], fleet: Fleet) -> tuple[Group, ...]:
    """Return the groups of rules that a stage with the scraped `jobs` can evaluate; pushed jobs are always there.

    Raises `PlanError` when a rule names a metric or a job that the contract does not know.
    """
    present = jobs | PUSHED
    groups = (
        objectives_group(config),
        budgets_group(config),
        llm_group(config, fleet),
        service_group(config),
        database_group(config),
        backups_group(config),
        cache_group(config),
        events_group(config),
        access_group(),
        autoscaler_group(),
        hosts_group(),
        cost_group(config, fleet),
        growth_group(config),
        monitoring_group(config),
    )
    recorded = recorded_jobs(groups)
    kept = (
        replace(
            group,
            recordings=tuple(rule for rule in group.recordings if recorded[rule.name] <= present),
            alerts=tuple(
                rule
                for rule in group.alerts
                if jobs_of(rule.expression, f"monitoring › rules › {rule.name}", recorded) <= present
            ),
        )
        for group in groups
    )
    return tuple(group for group in kept if group.recordings or group.alerts)


def recorded_jobs(groups: Sequence[Group]) -> dict[str, frozenset[Job]]:
    """Return the jobs behind each recorded series; a recording may read those before it."""
    jobs: dict[str, frozenset[Job]] = {}
    for group in groups:
        for rule in group.recordings:
            found = jobs_of(rule.expression, f"monitoring › rules › {rule.name}", jobs)
            jobs[rule.name] = jobs.get(rule.name, frozenset()) | found
    return jobs


def runbooks_of(config: StageConfig) -> str:
    """Return the URL of the folder of the runbooks, in the project's own repository."""
    return f"https://github.com/{config.service.github_repository}/blob/main/docs/runbooks"


def rules_content(groups: Sequence[Group], runbooks: str) -> dict[str, Any]:
    """Return the content of the rules file of `groups`, as Prometheus reads it; `runbooks` is their folder's URL."""
    return {"groups": [_group(group, runbooks) for group in groups]}


def _group(group: Group, runbooks: str) -> dict[str, Any]:
    interval = {"interval": f"{group.interval_seconds}s"} if group.interval_seconds else {}
    page = f"{runbooks}/{group.name}.md"
    rules = [*map(_recording, group.recordings), *(_alert(alert, page) for alert in group.alerts)]
    return {"name": group.name, **interval, "rules": rules}


def _recording(rule: Recording) -> dict[str, Any]:
    labels = {"labels": dict(rule.labels)} if rule.labels else {}
    return {"record": rule.name, "expr": rule.expression, **labels}


def _alert(rule: Alert, page: str) -> dict[str, Any]:
    duration = {"for": f"{rule.for_seconds}s"} if rule.for_seconds else {}
    return {
        "alert": rule.name,
        "expr": rule.expression,
        **duration,
        "labels": {
            "severity": rule.severity.value,
            "owner": rule.owner.value,
            "component": rule.component,
            **rule.labels,
        },
        "annotations": {
            "summary": rule.summary,
            "action": rule.action,
            "runbook_url": f"{page}#{rule.heading.lower()}",
        },
    }
