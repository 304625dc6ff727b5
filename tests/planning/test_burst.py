from __future__ import annotations

import subprocess
from typing import Any

import pytest

from autoscaler.cloud import DRAIN_ITEM
from autoscaler.policy import Life
from autoscaler.records import Report
from dreamseed.config import StageConfig
from dreamseed.errors import PlanError
from dreamseed.planning.burst import DRAIN_SECONDS, BurstPlan, archive_name, plan_burst
from tests.components.declaring import changed, stage


def _with(letter: str, **values: Any) -> StageConfig:
    burst = stage(letter).model_dump(mode="json")["vllm"]["burst"] | values
    return changed(stage(letter), "vllm", burst=burst)


def _plan(config: StageConfig) -> BurstPlan:
    plan = plan_burst(config, "stage-c")
    assert plan is not None
    return plan


def test_stages_without_workers_have_no_plan_for_one() -> None:
    assert plan_burst(stage("a"), "stage-a") is None
    assert plan_burst(_with("c", max_workers=0), "stage-c") is None


def test_the_machine_of_the_growth_plan_is_refused_because_its_card_cannot_hold_the_model() -> None:
    with pytest.raises(PlanError) as refused:
        plan_burst(_with("c", machine_type="n1-standard-8"), "stage-c")
    assert "does not fit" in refused.value.what
    assert "t4" in refused.value.what


def test_a_zone_outside_the_region_is_refused() -> None:
    with pytest.raises(PlanError) as refused:
        plan_burst(_with("c", zones=["us-central1-a", "asia-northeast3-b"]), "stage-c")
    assert refused.value.where == "stage-c › vllm › burst › zones"
    assert "asia-northeast3-b" in refused.value.what


def test_a_worker_serves_the_fleets_own_model_in_the_fleets_own_precision() -> None:
    config = stage("c")
    script = _plan(config).script
    assert f"--served-model-name {config.vllm.served_name}" in script
    assert archive_name(config) == "llama-2-13b-chat-fp8.tar"
    assert f"dreamseed-prod-models/{archive_name(config)}" in script
    # The weights are in fp8 already: converting 16-bit ones would not fit one card.
    assert "--quantization" not in script


def test_a_machine_with_two_cards_splits_the_model_over_both() -> None:
    script = _plan(_with("c", machine_type="g2-standard-24")).script
    assert "--tensor-parallel-size 2" in script
    assert "--device /dev/nvidia1" in script


def test_images_are_pinned_by_digest() -> None:
    script = _plan(stage("c")).script
    assert script.count("@sha256:") == 2
    assert ":latest" not in script


def test_a_worker_is_reachable_only_after_its_engine_answers() -> None:
    script = _plan(stage("c")).script
    assert script.index("/health") < script.index("--name connector")


def test_the_script_is_a_script() -> None:
    subprocess.run(["bash", "-n"], input=_plan(stage("c")).script, text=True, check=True)  # noqa: S607 - whatever bash


def test_a_worker_says_how_far_it_is_and_goes_when_it_is_told() -> None:
    script = _plan(stage("c")).script
    said = [script.index(f"\nreport {phase}\n") for phase in Report]
    assert said == sorted(said)
    assert script.index("--name connector") < said[1], "it serves when it can be reached"
    assert script.index(DRAIN_ITEM) < script.index("docker stop --time 100 connector") < said[2]
    assert "--grace-period 100s run" in script
    assert Life().drain_seconds >= DRAIN_SECONDS, "the autoscaler waits for as long as a worker drains"
