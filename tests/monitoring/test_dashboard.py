from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.errors import PlanError
from dreamseed.monitoring import dashboard
from dreamseed.monitoring.dashboard import CONCURRENT_USERS, elastic_scaling
from dreamseed.monitoring.metrics import Job
from dreamseed.monitoring.model import Fleet
from dreamseed.monitoring.rules import rule_groups

PROJECT = Path(__file__).parents[2]


@cache
def stage(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def drawn(config: StageConfig) -> dict[str, Any]:
    groups = rule_groups(config, frozenset(Job), Fleet(gpus=3, engines=2))
    content: dict[str, Any] = json.loads(json.dumps(elastic_scaling(config, groups)))
    return content


def panel(name: str, title: str) -> dict[str, Any]:
    return next(panel for panel in drawn(stage(name))["panels"] if panel["title"] == title)


def marks(of: dict[str, Any]) -> list[float]:
    steps = of["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[0]["value"] is None
    return [step["value"] for step in steps[1:]]


def test_the_lines_over_live_users_are_what_the_five_stage_files_are_built_for() -> None:
    built_for = [stage(name).service.capacity.concurrent_users for name in STAGE_NAMES]
    assert list(CONCURRENT_USERS.values()) == built_for
    assert marks(panel("stage-c", "Live users")) == built_for


def test_a_stage_file_with_another_capacity_moves_its_own_line() -> None:
    config = stage("stage-c")
    capacity = config.service.capacity.model_copy(update={"concurrent_users": 2_500})
    moved = config.model_copy(update={"service": config.service.model_copy(update={"capacity": capacity})})
    users = next(one for one in drawn(moved)["panels"] if one["title"] == "Live users")
    assert marks(users) == [100, 500, 2_500, 7_000, 10_000]


def test_each_card_is_drawn_with_the_alerts_line() -> None:
    gpu = panel("stage-c", "GPU utilisation")
    assert marks(gpu) == [85]
    assert "gpu" in gpu["targets"][0]["expr"]
    assert gpu["fieldConfig"]["defaults"]["unit"] == "percent"


def test_the_budget_is_a_gauge_with_the_announced_marks() -> None:
    budget = panel("stage-d", "Budget used")
    assert budget["type"] == "gauge"
    assert marks(budget) == [50, 80, 90, 100]
    assert "500 USD" in budget["description"]


def test_cost_is_drawn_by_component_and_scaling_is_a_table_over_what_is_kept() -> None:
    assert "by (component)" in panel("stage-c", "Month's cost by component")["targets"][0]["expr"]
    history = panel("stage-c", "Scaling history")
    assert history["type"] == "table"
    assert history["targets"][0]["format"] == "table"
    assert "[35d:1h]" in history["targets"][0]["expr"]


def faults(content: dict[str, Any]) -> list[str]:
    """What a reader of the dashboard, or Grafana's own linter, would find wrong."""
    found = []
    panels = content["panels"]
    if len({one["id"] for one in panels}) != len(panels):
        found.append("two panels share an id")
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels]
    if len(set(places)) != len(places):
        found.append("two panels lie on each other")
    for one in panels:
        defaults = one["fieldConfig"]["defaults"]
        if not one["title"] or not one["description"] or not defaults.get("unit"):
            found.append(f"{one['title']}: no description or unit")
        if not one["targets"] or any(target["datasource"]["uid"] != "${datasource}" for target in one["targets"]):
            found.append(f"{one['title']}: no query, or one past the data source's variable")
        if any("rate(" in target["expr"] and "$__rate_interval" not in target["expr"] for target in one["targets"]):
            found.append(f"{one['title']}: a rate over a fixed range")
    return found


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    content = drawn(stage(name))
    assert content["title"] == "DreamSeedAI Elastic Scaling"
    assert len(content["panels"]) == 8
    assert faults(content) == []


def test_a_badly_drawn_dashboard_is_found() -> None:
    content = drawn(stage("stage-c"))
    first, second = content["panels"][:2]
    second["id"], second["gridPos"] = first["id"], first["gridPos"]
    first["description"] = ""
    second["targets"][0]["expr"] = "rate(x[5m])"
    assert len(faults(content)) == 4


def test_a_panel_on_a_metric_that_nobody_exports_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> dict[str, Any]:
        return dashboard._panel("timeseries", "Wrong", "Wrong.", "short", {"sum(gpu_temperature)": ""})

    monkeypatch.setattr(dashboard, "_queue", wrong)
    with pytest.raises(PlanError) as caught:
        drawn(stage("stage-c"))
    assert caught.value.where == "monitoring › dashboard › Wrong"
