from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.monitoring.cloud_policies import CloudPolicy, cloud_policies, uptime_period
from dreamseed.monitoring.model import Severity

PROJECT = Path(__file__).parents[2]


@cache
def stage(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def policies(name: str) -> dict[str, CloudPolicy]:
    config = stage(name)
    return {policy.name: policy for policy in cloud_policies(config.api, config.slo)}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_query_is_about_this_service_alone(name: str) -> None:
    found = policies(name)
    assert set(found) == {"api-latency", "api-failures", "api-instances"}
    for policy in found.values():
        assert policy.query.count("run_googleapis_com:") == policy.query.count('service_name="dreamseed-api"') > 0
        assert policy.duration >= timedelta(minutes=1)


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
