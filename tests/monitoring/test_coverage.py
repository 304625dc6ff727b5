from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.coverage import (
    NEEDED,
    NEEDED_ON_THE_WAY,
    exemptions,
    missing_alerts,
    services_on_the_way,
    stateful_services,
)
from dreamseed.monitoring.model import Alert, Fleet
from dreamseed.monitoring.rules import rule_groups
from dreamseed.planning.planner import plan_stage

PROJECT = Path(__file__).parents[2]


def config(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def services(name: str) -> frozenset[str]:
    return stateful_services(plan_stage(config(name), name).services)


def alerts(name: str) -> tuple[Alert, ...]:
    groups = rule_groups(config(name), frozenset(Job), Fleet(gpus=5, engines=3))
    return tuple(alert for group in groups for alert in group.alerts)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("stage-a", {"postgres", "etcd", "prometheus", "alertmanager"}),
        ("stage-b", {"postgres", "etcd", "prometheus", "alertmanager", "redis", "grafana"}),
        ("stage-e", {"postgres", "etcd", "prometheus", "alertmanager", "redis", "grafana", "kafka", "autoscaler"}),
    ],
)
def test_what_is_stateful_is_read_from_the_volumes_of_the_plan(name: str, found: set[str]) -> None:
    assert services(name) == found


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_everything_stateful_has_alerts_on_availability_saturation_replication_and_backup(name: str) -> None:
    assert missing_alerts(config(name), services(name), alerts(name)) == ()


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_everything_on_the_way_to_them_has_alerts_on_availability_and_saturation(name: str) -> None:
    between = services_on_the_way(plan_stage(config(name), name).services)
    assert between == {"vllm", "vllm-router", "pg-proxy", "pgbouncer", "tunnel"}
    assert missing_alerts(config(name), between, alerts(name), NEEDED_ON_THE_WAY) == ()
    kept = tuple(alert for alert in alerts(name) if alert.name not in {"RouterDown", "RouterBlind"})
    assert missing_alerts(config(name), between, kept, NEEDED_ON_THE_WAY) == ("vllm-router: availability",)


def test_an_alert_that_is_taken_away_is_missed() -> None:
    kept = tuple(alert for alert in alerts("stage-e") if alert.name != "RedisReplicaCut")
    assert missing_alerts(config("stage-e"), services("stage-e"), kept) == ("redis: replication",)
    moved = tuple(replace(one, component="x") if one.component == "kafka" else one for one in alerts("stage-e"))
    missed = missing_alerts(config("stage-e"), services("stage-e"), moved)
    assert missed == ("kafka: availability", "kafka: saturation", "kafka: replication")


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_an_exemption_gives_its_reason_and_is_not_of_something_that_is_watched(name: str) -> None:
    there = {(alert.component, alert.concern) for alert in alerts(name)}
    reasons = exemptions(config(name))
    assert all(len(reason) > 20 and concern in NEEDED for (_, concern), reason in reasons.items())
    assert not there & reasons.keys()
