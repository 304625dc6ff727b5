from __future__ import annotations

import pytest

from dreamseed.errors import PlanError
from localtier.k6 import k6_options
from localtier.k6.options import period_seconds, users
from tests.planning.stages import STAGE_NAMES, planned, shipped


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_whole_of_a_stage_makes_its_planned_peak_of_requests(name: str) -> None:
    plan = shipped(name)
    capacity = plan.config.service.capacity
    assert users(plan, 1) == capacity.concurrent_users
    assert users(plan, 1) / period_seconds(plan) == pytest.approx(capacity.requests_per_second_high)


def test_a_part_of_the_users_keeps_each_ones_rhythm() -> None:
    options = k6_options(shipped("stage-e"), 0.01, 30)
    assert options["scenarios"]["users"]["vus"] == 100
    assert options["scenarios"]["users"]["duration"] == "30000ms"
    assert users(shipped("stage-a"), 0.000_1) == 1


def test_the_objectives_of_the_stage_are_the_thresholds() -> None:
    slo = {"api_p95_ms": 200, "api_p99_ms": 1000, "generation_p95_ms": 2500}
    ratios = {"max_5xx_ratio": 0.02, "max_generation_failure_ratio": 0.03}
    said = k6_options(planned("stage-a", {"slo": slo | ratios}), 1)["thresholds"]
    assert said["http_req_duration{kind:api}"] == ["p(95)<200", "p(99)<1000"]
    assert said["http_req_duration{kind:generation}"] == ["p(95)<2500"]
    assert said["http_req_failed{kind:api}"] == ["rate<=0.02"]
    assert said["http_req_failed{kind:generation}"] == ["rate<=0.03"]


@pytest.mark.parametrize("scale", [0, -1, 1.5])
def test_a_scale_that_makes_no_sense_is_refused_with_a_remedy(scale: float) -> None:
    with pytest.raises(PlanError, match=r"such as 0\.05"):
        k6_options(shipped("stage-a"), scale)
