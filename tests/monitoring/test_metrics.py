from __future__ import annotations

import pytest

from dreamseed.monitoring.metrics import Job, jobs_of, metrics_of


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("pg_up == 0", {"pg_up"}),
        ('up{job="vllm"} == 0', {"up"}),
        ("sum by (host, gpu) (DCGM_FI_DEV_GPU_UTIL) > 85", {"DCGM_FI_DEV_GPU_UTIL"}),
        ("avg(x) by (le) / on (stage) group_left (name) y", {"x", "y"}),
        ('rate(vllm:num_preemptions_total{a="b}"}[10m] offset 5m) > 1.5e3', {"vllm:num_preemptions_total"}),
        ("min_over_time(timestamp(edu_stage_info)[35d:1h]) * 1000", {"edu_stage_info"}),
        ("(a or vector(0)) unless on (i) b and c > bool 1", {"a", "b", "c"}),
        ("time() - 5", set()),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, metrics: set[str]) -> None:
    assert metrics_of(expression) == metrics


def test_the_jobs_behind_an_expression_come_from_metrics_matchers_and_recorded_series() -> None:
    assert jobs_of('pg_up == 0 and up{job="vllm"}', "here") == {Job.POSTGRES, Job.VLLM}
    assert jobs_of("ratio > 1", "here", {"ratio": frozenset({Job.API})}) == {Job.API}
    assert jobs_of('up{job!~"node|vllm"} == 0', "here") == frozenset()
