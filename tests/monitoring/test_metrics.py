from __future__ import annotations

from collections import Counter

import pytest

from dreamseed.errors import PlanError
from dreamseed.monitoring.metrics import METRICS, Job, jobs_of, metrics_of


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("pg_up == 0", {"pg_up"}),
        ('up{job="vllm"} == 0', {"up"}),
        ("sum by (host, gpu) (DCGM_FI_DEV_GPU_UTIL) > 85", {"DCGM_FI_DEV_GPU_UTIL"}),
        ("avg(x) by (le) / on (stage) group_left (name) y", {"x", "y"}),
        ('rate(vllm:num_preemptions_total{a="b}"}[10m] offset 5m) > 1.5e3', {"vllm:num_preemptions_total"}),
        ("min_over_time(timestamp(edu_stage_info)[35d:1h]) * 1000", {"edu_stage_info"}),
        ("(a or vector(0)) unless on (i) b and bool c", {"a", "b", "c"}),
        ("time() - 5", set()),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, metrics: set[str]) -> None:
    assert metrics_of(expression) == metrics


def test_each_metric_belongs_to_one_job() -> None:
    times = Counter(metric for metrics in METRICS.values() for metric in metrics)
    assert set(METRICS) == set(Job)
    assert [metric for metric, count in times.items() if count > 1] == []


def test_the_jobs_behind_an_expression_come_from_metrics_matchers_and_recorded_series() -> None:
    assert jobs_of('pg_up == 0 and up{job="vllm"}', "here") == {Job.POSTGRES, Job.VLLM}
    assert jobs_of("ratio > 1", "here", {"ratio": frozenset({Job.API})}) == {Job.API}
    assert jobs_of('up{job!~"node|vllm"} == 0', "here") == frozenset()


def test_a_metric_that_nobody_exports_is_refused_with_its_place() -> None:
    with pytest.raises(PlanError) as caught:
        jobs_of("vllm:gpu_cache_usage_perc > 0.9", "monitoring › rules › Old")
    assert caught.value.where == "monitoring › rules › Old"
    assert "vllm:gpu_cache_usage_perc" in caught.value.what
    assert "dreamseed/monitoring/metrics.py" in caught.value.remedy


def test_a_job_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(PlanError) as caught:
        jobs_of('up{job="vlm"} == 0', "here")
    assert "vlm" in caught.value.what
    assert "vllm" in caught.value.remedy
