from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.config import load_stage, stage_file
from dreamseed.planning.grafana_cloud import GrafanaCloudPlan, plan_grafana_cloud

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["stage-a", "stage-b"])
def test_a_stage_without_grafana_cloud_has_none(name: str) -> None:
    config = load_stage(stage_file(PROJECT, name))
    assert plan_grafana_cloud(config.service, config.monitoring) is None


def test_free_and_pro_are_the_same_stack() -> None:
    plans = set()
    for name in ("stage-c", "stage-d", "stage-e"):
        config = load_stage(stage_file(PROJECT, name))
        plans.add(plan_grafana_cloud(config.service, config.monitoring))
    assert plans == {GrafanaCloudPlan(slug="dreamseedprod", region="us")}


@pytest.mark.parametrize(
    ("project", "region", "slug", "hosted_in"),
    [
        ("edu-live-1", "europe-west4", "edulive1", "eu"),
        ("edu-seoul", "asia-northeast3", "eduseoul", "prod-ap-southeast-0"),
        ("a" * 30, "southamerica-east1", "a" * 29, "us"),
    ],
)
def test_slug_and_region_follow_the_project_and_its_region(
    project: str, region: str, slug: str, hosted_in: str
) -> None:
    config = load_stage(stage_file(PROJECT, "stage-c"))
    service = config.service.model_copy(update={"gcp_project": project, "region": region})
    assert plan_grafana_cloud(service, config.monitoring) == GrafanaCloudPlan(slug=slug, region=hosted_in)
