from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console, RenderableType

from dreamseed.planning.promotion import plan_promotion
from dreamseed.planning.report import plan_as_json, plan_tables, promotion_as_json, promotion_tables
from tests.planning.stages import STAGE_NAMES, planned, shipped


def printed(shown: RenderableType) -> str:
    text = io.StringIO()
    Console(file=text, width=240).print(shown)
    return text.getvalue()


def as_text(values: dict[str, Any]) -> str:
    return json.dumps(values)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_plan_for_machines_is_plain_and_holds_every_container(name: str) -> None:
    plan = shipped(name)
    values = json.loads(as_text(plan_as_json(plan)))
    services = (
        "vllm",
        "postgres",
        "redis",
        "kafka",
        "tunnel",
        "autoscaler",
        "monitoring",
        "packet_filter",
        "wireguard",
    )
    names = {one["name"] for service in services for one in values[service]["containers"]}
    assert names == {one.name for one in plan.containers}
    assert values["config"]["service"]["stage"] == plan.config.service.stage
    assert {"hosts", "layout", "loads", "routes", "invariants", "survivability", "departures"} <= set(values)
    assert all(row["holds"] for row in values["invariants"])


def test_two_runs_write_the_same_text() -> None:
    assert as_text(plan_as_json(shipped("stage-e"))) == as_text(plan_as_json(planned("stage-e")))


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_plan_for_people_shows_every_part(name: str) -> None:
    text = printed(plan_tables(shipped(name), why=False))
    for title in (
        "Servers",
        "GPU layout",
        "Containers",
        "Through the tunnel",
        "Promises between the parts",
        "Which single loss each part survives",
        "What is not survived, or loses something for good",
        "Where the program departs from the growth plan",
    ):
        assert title in text
    assert "✗" not in text.split("Promises between the parts")[1].split("Which single loss")[0]


def test_why_adds_the_layouts_that_were_not_chosen_and_every_port() -> None:
    short, full = (printed(plan_tables(shipped("stage-c"), why=why)) for why in (False, True))
    assert "40 attention heads are not divisible by 3" in full
    assert "tp3 on one server" not in short
    assert "10.20.0.11:6401" in full.split("Published ports")[1]
    assert "Published ports" not in short
    assert "What each loss does" in full


def test_a_broken_promise_would_be_marked() -> None:
    plan = shipped("stage-c")
    crowded = replace(plan, loads=tuple(replace(load, memory_mib=10**6) for load in plan.loads))
    promises = printed(plan_tables(crowded, why=False)).split("Promises between the parts")[1]
    assert "✗   memory of server-1" in promises


def test_a_promotion_is_shown_with_what_it_replaces_and_why() -> None:
    promotion = plan_promotion(shipped("stage-d"), shipped("stage-e"))
    text = printed(promotion_tables(promotion))
    assert "new hosts: server-2, witness" in text
    assert "files /etc/patroni/patroni.yml" in text
    values = json.loads(as_text(promotion_as_json(promotion)))
    assert values["volumes_removed"] == []
    assert {row["action"] for row in values["containers"]} == {"added", "replaced"}
