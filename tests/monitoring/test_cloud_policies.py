from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.monitoring.cloud_policies import CloudPolicy, cloud_policies, uptime_period
from dreamseed.monitoring.contract import MANAGED, MANAGED_LABELS, Kind
from dreamseed.monitoring.model import Severity
from dreamseed.monitoring.promql import RATES, parsed

PROJECT = Path(__file__).parents[2]


@cache
def stage(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def policies(name: str, load_job: str | None = None) -> dict[str, CloudPolicy]:
    config = stage(name)
    return {policy.name: policy for policy in cloud_policies(config.api, config.slo, load_job)}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_query_is_about_this_service_alone(name: str) -> None:
    found = policies(name)
    assert set(found) == {"api-latency", "api-failures", "api-instances"}
    for policy in found.values():
        assert policy.query.count("run_googleapis_com:") == policy.query.count('service_name="dreamseed-api"') > 0
        assert policy.duration >= timedelta(minutes=1)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_query_reads_what_the_contract_says_that_google_counts(name: str) -> None:
    for policy in policies(name, "load").values():
        assert faults(policy.query) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sum(rate(run_googleapis_com:request_counts[5m]))", "no metric run_googleapis_com:request_counts"),
        ('sum(rate(run_googleapis_com:request_count{status="5xx"}[5m]))', "no label status"),
        ("run_googleapis_com:request_count > 1", "no rate of run_googleapis_com:request_count"),
        ("rate(run_googleapis_com:container_instance_count[5m])", "a rate of run_googleapis_com:container_instance"),
    ],
)
def test_a_query_of_something_else_is_found(query: str, fault: str) -> None:
    assert [one.startswith(fault) for one in faults(query)] == [True]


def faults(query: str) -> list[str]:
    """Where a query reads something else than the contract says."""
    known = {series: metric for metric in MANAGED for series in metric.series}
    found = []
    for one in parsed(query).reads:
        metric = known.get(one.name)
        if metric is None:
            found.append(f"no metric {one.name}")
            continue
        labels = metric.labels | MANAGED_LABELS
        found += [f"no label {label} of {one.name}" for label, _ in one.matchers if label not in labels]
        counts = metric.kind is not Kind.GAUGE
        if counts != bool(one.functions & RATES):
            found.append(f"{'no' if counts else 'a'} rate of {one.name}")
    return found


def test_a_load_of_cloud_sql_that_fails_is_told_where_there_is_one() -> None:
    load = policies("stage-d", "dreamseed-api-recovery-refresh")["recovery-load"]
    assert 'job_name="dreamseed-api-recovery-refresh",result="failed"' in load.query
    assert load.query.endswith("> 0")
    assert "recovery-load" not in policies("stage-c")


def test_latency_is_judged_in_milliseconds_by_the_objective_of_whole_answers() -> None:
    latency = policies("stage-c")["api-latency"]
    assert latency.query.endswith("> 5000")
    assert latency.severity is Severity.CRITICAL


@pytest.mark.parametrize(("name", "instances"), [("stage-a", 3), ("stage-b", 8), ("stage-c", 14), ("stage-e", 36)])
def test_nine_tenths_of_the_bound_are_announced(name: str, instances: int) -> None:
    assert policies(name)["api-instances"].query.endswith(f">= {instances}")


def test_a_ratio_of_failures_needs_ten_of_them() -> None:
    failures = policies("stage-a")["api-failures"].query
    assert "> 0.001 and " in failures
    assert failures.endswith(">= 10")


def test_an_api_that_may_sleep_is_woken_less_often() -> None:
    assert uptime_period(stage("stage-a").api) == timedelta(minutes=5)
    assert uptime_period(stage("stage-b").api) == timedelta(minutes=1)
