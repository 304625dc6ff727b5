from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.errors import PlanError
from dreamseed.monitoring import rules
from dreamseed.monitoring.alerts_stores import cache_group
from dreamseed.monitoring.metrics import METRICS, Job, metrics_of
from dreamseed.monitoring.model import Alert, Fleet, Group, Severity
from dreamseed.monitoring.rules import rule_groups, rules_content, runbooks_of
from dreamseed.planning.services.monitoring_files import yaml_text

PROJECT = Path(__file__).parents[2]
FLEET = Fleet(gpus=3, engines=2)
BASIC = frozenset(
    {Job.NODE, Job.DCGM, Job.VLLM, Job.POSTGRES, Job.PGBACKREST, Job.ETCD, Job.COST, Job.PROMETHEUS, Job.ALERTMANAGER}
)


@cache
def stage(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def alerts(name: str, jobs: frozenset[Job] = frozenset(Job)) -> dict[str, Alert]:
    groups = rule_groups(stage(name), jobs, FLEET)
    return {alert.name: alert for group in groups for alert in group.alerts}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_stage_has_the_four_alerts_of_the_plan(name: str) -> None:
    found = alerts(name, BASIC)
    expected = {
        "GPUHighUtilization": (600, Severity.WARNING, "> 85"),
        "APIHighLatency": (300, Severity.CRITICAL, "> 0.3 "),
        "LLMQueueBacklog": (180, Severity.WARNING, "> 20"),
        "BudgetExceeded": (3_600, Severity.CRITICAL, "> 0.9"),
    }
    for alert, (seconds, severity, threshold) in expected.items():
        assert (found[alert].for_seconds, found[alert].severity) == (seconds, severity)
        assert threshold in f"{found[alert].expression} "


def test_a_stage_alerts_only_on_what_it_runs() -> None:
    metrics = {metric for alert in alerts("stage-a", BASIC).values() for metric in metrics_of(alert.expression)}
    absent = METRICS[Job.KAFKA] | METRICS[Job.REDIS]
    assert metrics & METRICS[Job.VLLM]
    assert not metrics & absent
    with_both = {metric for alert in alerts("stage-c").values() for metric in metrics_of(alert.expression)}
    assert with_both & METRICS[Job.KAFKA]
    assert with_both & METRICS[Job.REDIS]


def test_without_cards_no_alert_asks_for_them() -> None:
    assert "GPUHighUtilization" not in alerts("stage-a", BASIC - {Job.DCGM})


def test_remote_write_is_watched_only_where_something_is_sent() -> None:
    assert "RemoteWriteBehind" not in alerts("stage-b")
    assert "RemoteWriteBehind" in alerts("stage-c")


CACHE = cache_group(load_stage(stage_file(PROJECT, "stage-e")))


@pytest.mark.parametrize("metric", sorted(frozenset().union(*(metrics_of(a.expression) for a in CACHE.alerts))))
def test_a_misspelled_metric_in_a_rule_is_refused(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def misspelled(config: StageConfig) -> Group:
        return replace(
            CACHE, alerts=tuple(replace(a, expression=a.expression.replace(metric, f"{metric}s")) for a in CACHE.alerts)
        )

    monkeypatch.setattr(rules, "cache_group", misspelled)
    with pytest.raises(PlanError) as caught:
        alerts("stage-b")
    assert f"{metric}s" in caught.value.what


def written(name: str) -> list[dict[str, Any]]:
    """The rules of a stage as they stand in the file, read back."""
    config = stage(name)
    text = yaml_text(rules_content(rule_groups(config, frozenset(Job), FLEET), runbooks_of(config)))
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    assert set(content) == {"groups"}
    groups = content["groups"]
    names = [group["name"] for group in groups]
    assert len(names) == len(set(names)) > 5
    return [rule for group in groups for rule in group["rules"]]


def faults(rule: dict[str, Any]) -> list[str]:
    """What Prometheus or a reader of an alert would find wrong with one rule."""
    found = []
    keys = {"record", "expr", "labels"} if "record" in rule else {"alert", "expr", "for", "labels", "annotations"}
    if not set(rule) <= keys or not rule.get("expr"):
        found.append("keys")
    for opening, closing in ("()", "[]", "{}"):
        if rule["expr"].count(opening) != rule["expr"].count(closing):
            found.append("brackets")
    if "alert" in rule:
        if not re.fullmatch(r"[1-9]\d*s", rule.get("for", "1s")):
            found.append("for")
        if rule["labels"].get("severity") not in set(Severity):
            found.append("severity")
        if not all(rule["annotations"].get(key) for key in ("summary", "action", "runbook_url")):
            found.append("annotations")
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", rule["expr"]))))
        told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        if kept and not told <= kept:
            found.append(f"the summary tells {told - kept}, which the expression drops")
    return found


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_rule_is_well_formed_and_tells_only_labels_that_it_has(name: str) -> None:
    rules_of_stage = written(name)
    assert len(rules_of_stage) > 40
    assert {rule.get("alert") or rule["record"]: faults(rule) for rule in rules_of_stage if faults(rule)} == {}
    names = [rule.get("alert") or (rule["record"], *rule.get("labels", {}).values()) for rule in rules_of_stage]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"expr": "sum(rate(x[5m]) > 1"}, "brackets"),
        ({"for": "0s"}, "for"),
        ({"labels": {"severity": "page"}}, "severity"),
        ({"annotations": {"summary": "x"}}, "annotations"),
        ({"expression": "x"}, "keys"),
        ({"annotations": {"summary": "{{ $labels.pod }}", "action": "x"}}, "the summary tells {'pod'}"),
    ],
)
def test_a_broken_rule_is_found(change: dict[str, Any], fault: str) -> None:
    whole = next(rule for rule in written("stage-a") if rule.get("alert") == "GPUHighUtilization")
    assert faults(whole) == []
    assert any(found.startswith(fault) for found in faults({**whole, **change}))


def test_objectives_change_with_the_stage_and_the_recorded_ratios_do_not() -> None:
    burn = {name: alerts(name)["ApiAvailabilityBurn1h"].expression for name in STAGE_NAMES}
    assert "> 0.144 " in burn["stage-a"]
    assert "> 0.072 " in burn["stage-c"]
    assert "> 0.0144 " in burn["stage-e"]
    recorded = [
        {
            (rule["record"], rule["labels"]["slo"]): rule["expr"]
            for rule in written(name)
            if rule.get("record", "").startswith("slo:error_ratio:")
        }
        for name in STAGE_NAMES
    ]
    assert len(recorded[0]) == 7 * 5
    assert all(ratios == recorded[0] for ratios in recorded)


def test_the_archive_alert_fires_while_the_rpo_can_still_be_kept() -> None:
    for name in STAGE_NAMES:
        config, alert = stage(name), alerts(name)["WalArchiveStale"]
        threshold = int(re.findall(r"last_archive_age > (\d+)", alert.expression)[0])
        rpo_seconds = config.disaster_recovery.rpo_minutes * 60
        assert threshold > config.backup.archive_timeout_seconds
        assert threshold + alert.for_seconds < rpo_seconds
        assert (alert.severity is Severity.CRITICAL) == config.backup.wal_archive


def test_a_late_archive_warns_at_seven_minutes_and_pages_at_twelve_of_an_rpo_of_fifteen() -> None:
    for name in STAGE_NAMES[1:]:
        warning, page = alerts(name)["WalArchiveLate"], alerts(name)["WalArchiveStale"]
        assert stage(name).disaster_recovery.rpo_minutes == 15
        ages = [int(re.findall(r"last_archive_age > (\d+)", one.expression)[0]) for one in (warning, page)]
        assert [age + one.for_seconds for age, one in zip(ages, (warning, page), strict=True)] == [7 * 60, 12 * 60]
        assert (warning.severity, page.severity) == (Severity.WARNING, Severity.CRITICAL)


@pytest.mark.parametrize(("name", "hours"), [("stage-a", 26), ("stage-b", 26), ("stage-c", 26), ("stage-e", 8)])
def test_a_backup_is_old_when_the_next_one_is_two_hours_late(name: str, hours: int) -> None:
    assert alerts(name)["BackupOld"].expression.endswith(f"> {hours * 3_600}")


def test_kafkas_alerts_know_the_stages_brokers_and_copies() -> None:
    assert alerts("stage-c")["KafkaBrokerMissing"].expression.endswith("< 3")
    assert alerts("stage-e")["KafkaBrokerMissing"].expression.endswith("< 5")
    assert alerts("stage-e")["KafkaBelowMinimumInSync"].expression.endswith(
        f"< {stage('stage-e').kafka.min_insync_replicas}"
    )


def test_an_api_that_sleeps_at_night_is_missed_after_a_day_and_a_warm_one_at_once() -> None:
    assert "[1d]" in alerts("stage-a")["ApiMetricsMissing"].expression
    assert alerts("stage-b")["ApiMetricsMissing"].expression.startswith("absent(")


def test_budget_and_stage_are_recorded_as_the_file_says() -> None:
    recorded = {rule["record"]: rule for rule in written("stage-c") if "record" in rule}
    assert recorded["edu_budget_monthly"] == {
        "record": "edu_budget_monthly",
        "expr": "vector(290)",
        "labels": {"stage": "C"},
    }
    assert recorded["edu_stage_info"]["labels"] == {"stage": "C", "gpus": "3", "engines": "2"}
