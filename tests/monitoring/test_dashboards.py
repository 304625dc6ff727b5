from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.errors import PlanError
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.dashboards import boards as all_boards
from dreamseed.monitoring.dashboards.board import Board, Panel
from dreamseed.monitoring.dashboards.boards import boards
from dreamseed.monitoring.dashboards.drawing import drawn
from dreamseed.monitoring.dashboards.lint import faults
from dreamseed.monitoring.dashboards.scaling import CONCURRENT_USERS, elastic_scaling
from dreamseed.monitoring.model import Fleet, Group
from dreamseed.monitoring.rules import recorded_jobs, rule_groups
from dreamseed.planning.planner import plan_stage

PROJECT = Path(__file__).parents[2]


@cache
def stage(name: str) -> StageConfig:
    return load_stage(stage_file(PROJECT, name))


def groups(name: str) -> tuple[Group, ...]:
    return rule_groups(stage(name), frozenset(Job), Fleet(gpus=3, engines=2))


@cache
def planned(name: str) -> dict[str, dict[str, Any]]:
    """The dashboards that Grafana's container is really given."""
    plan = plan_stage(stage(name), name).monitoring
    grafana = next(one for one in plan.containers if one.name == "grafana")
    texts = {Path(file.path).stem: file.text for file in grafana.files if file.path.endswith(".json")}
    return {board: json.loads(text) for board, text in texts.items()}


def panel(config: StageConfig, title: str) -> dict[str, Any]:
    content = drawn(elastic_scaling(config), config.service.time_zone)
    return next(panel for panel in content["panels"] if panel["title"] == title)


def marks(of: dict[str, Any]) -> list[float]:
    steps = of["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[0]["value"] is None
    return [step["value"] for step in steps[1:]]


def test_the_lines_over_live_users_are_what_the_five_stage_files_are_built_for() -> None:
    built_for = [stage(name).service.capacity.concurrent_users for name in STAGE_NAMES]
    assert list(CONCURRENT_USERS.values()) == built_for
    users = panel(stage("stage-c"), "Live users")
    assert marks(users) == built_for
    assert users["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "line"


def test_a_stage_file_with_another_capacity_moves_its_own_line() -> None:
    config = stage("stage-c")
    capacity = config.service.capacity.model_copy(update={"concurrent_users": 2_500})
    moved = config.model_copy(update={"service": config.service.model_copy(update={"capacity": capacity})})
    assert marks(panel(moved, "Live users")) == [100, 500, 2_500, 7_000, 10_000]


def test_each_card_is_drawn_with_the_alerts_line() -> None:
    gpu = panel(stage("stage-c"), "GPU utilisation")
    assert marks(gpu) == [85]
    assert "gpu" in gpu["targets"][0]["expr"]
    assert gpu["fieldConfig"]["defaults"]["unit"] == "percent"


def test_the_budget_is_a_gauge_with_the_announced_marks() -> None:
    budget = panel(stage("stage-d"), "Budget used")
    assert budget["type"] == "gauge"
    assert marks(budget) == [50, 80, 90, 100]
    assert "500 USD" in budget["description"]


def test_cost_is_drawn_by_component_and_scaling_is_a_table_over_what_is_kept() -> None:
    assert "by (component)" in panel(stage("stage-c"), "Month's cost by component")["targets"][0]["expr"]
    history = panel(stage("stage-c"), "Scaling history")
    assert history["type"] == "table"
    assert (history["targets"][0]["format"], history["targets"][0]["instant"]) == ("table", True)
    assert "[35d:1h]" in history["targets"][0]["expr"]
    assert history["transformations"][0]["options"]["renameByName"] == {"Value": "since"}


@pytest.mark.parametrize(
    ("name", "found", "panels"),
    [
        ("stage-b", {"elastic-scaling", "objectives", "llm", "database", "cache", "access", "hosts"}, 9),
        ("stage-e", {"elastic-scaling", "objectives", "llm", "database", "cache", "events", "access", "hosts"}, 11),
    ],
)
def test_there_is_a_dashboard_for_what_the_stage_has(name: str, found: set[str], panels: int) -> None:
    assert set(planned(name)) == found
    assert planned(name)["elastic-scaling"]["title"] == "DreamSeedAI Elastic Scaling"
    assert len(planned(name)["elastic-scaling"]["panels"]) == panels


@pytest.mark.parametrize("name", [name for name in STAGE_NAMES if name != "stage-a"])
def test_the_linter_finds_nothing_in_any_dashboard(name: str) -> None:
    recorded = recorded_jobs(groups(name))
    assert {board: faults(content, recorded) for board, content in planned(name).items()} == dict.fromkeys(
        planned(name), ()
    )
    identities = [content["uid"] for content in planned(name).values()]
    assert len(identities) == len(set(identities))


def spoiled(change: str) -> dict[str, Any]:
    """A sound dashboard with one fault."""
    content = copy.deepcopy(planned("stage-c")["llm"])
    first, second = content["panels"][:2]
    match change:
        case "id":
            second["id"] = first["id"]
        case "place":
            second["gridPos"] = first["gridPos"]
        case "description":
            first["description"] = ""
        case "unit":
            del first["fieldConfig"]["defaults"]["unit"]
        case "query":
            first["targets"] = []
        case "source":
            first["targets"][0]["datasource"]["uid"] = "prometheus"
        case "range":
            first["targets"][0]["expr"] = "sum(rate(vllm:generation_tokens_total[5m]))"
        case "metric":
            first["targets"][0]["expr"] = "vllm:gpu_cache_usage_perc"
        case "variable":
            content["templating"]["list"] = []
    return content


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("id", "two panels share an id"),
        ("place", "two panels lie on each other"),
        ("description", "LLM queue: no title, description or unit"),
        ("unit", "LLM queue: no title, description or unit"),
        ("query", "LLM queue: no query"),
        ("source", "LLM queue: a query past the data source's variable"),
        ("range", "LLM queue: a rate over the fixed range 5m"),
        ("metric", "LLM queue: no job exports the metric 'vllm:gpu_cache_usage_perc'"),
        ("variable", "no variable for the data source"),
    ],
)
def test_a_badly_drawn_dashboard_is_found(change: str, fault: str) -> None:
    assert faults(spoiled(change), {}) == (fault,)


def test_without_cards_no_panel_asks_for_them() -> None:
    shown = boards(stage("stage-c"), frozenset(Job) - {Job.DCGM}, groups("stage-c"))
    assert not any("DCGM" in query for board in shown for one in board.panels for query in one.queries)


def test_a_panel_on_a_metric_that_nobody_exports_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_: StageConfig) -> Board:
        one = Panel(title="Wrong", description="Wrong.", unit="short", queries={"sum(gpu_temperature)": ""})
        return Board(name="wrong", title="Wrong", description="Wrong.", panels=(one,))

    monkeypatch.setattr(all_boards, "ALL", (wrong,))
    with pytest.raises(PlanError) as caught:
        boards(stage("stage-c"), frozenset(Job), groups("stage-c"))
    assert caught.value.where == "monitoring › wrong › Wrong"
