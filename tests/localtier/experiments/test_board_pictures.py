from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from dreamseed.errors import DreamSeedError
from dreamseed.planning.services.monitoring_grafana import planned_dashboards
from dreamseed.review.prometheus import Prometheus
from localtier.experiments.board_pictures import name_of, picture, pictures, read
from tests.planning.stages import shipped

BEGAN = datetime(2026, 11, 26, 14, tzinfo=UTC)
ENDED = BEGAN + timedelta(minutes=10)


def prometheus(*series: dict[str, Any], status: str = "success") -> tuple[Prometheus, list[httpx.Request]]:
    """One that answers every range with `series`, and what it was asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"status": status, "error": "no", "data": {"result": list(series)}})

    return Prometheus("http://p", httpx.MockTransport(answer)), asked


def line(host: str, *values: str) -> dict[str, Any]:
    points = [[BEGAN.timestamp() + 60 * number, value] for number, value in enumerate(values)]
    return {"metric": {"host": host, "instance": host}, "values": points}


def test_a_range_is_the_finite_points_of_each_series() -> None:
    asking, asked = prometheus(line("a", "1", "NaN", "3"), line("b", "NaN"))
    found = asking.ranges("x", BEGAN, ENDED, 10)
    assert found == [({"host": "a", "instance": "a"}, [(BEGAN, 1.0), (BEGAN + timedelta(minutes=2), 3.0)])]
    assert asked[0].url.path == "/api/v1/query_range"
    assert b"step=10" in asked[0].content


def test_a_range_that_is_refused_is_an_error() -> None:
    asking, _ = prometheus(status="error")
    with pytest.raises(DreamSeedError, match="it was asked for x"):
        asking.ranges("x", BEGAN, ENDED, 10)


def test_a_line_is_named_as_grafana_names_it() -> None:
    assert name_of("{{host}} GPU {{gpu}}", {"host": "one", "gpu": "0"}) == "one GPU 0"
    assert name_of("", {"b": "2", "a": "1", "__name__": "x"}) == "a=1, b=2"


def test_every_panel_of_every_dashboard_is_drawn_with_its_own_query_and_said_to_be_no_grafana() -> None:
    plan = shipped("stage-b")
    asking, asked = prometheus(line("server-1", "1", "2", "0.5"))
    made = pictures(plan, asking, BEGAN, ENDED)
    boards = planned_dashboards(plan.containers)
    assert made.keys() == {f"live-{board['uid'].removeprefix('dreamseed-')}.svg" for board in boards}
    assert len(asked) == sum(len(panel["targets"]) for board in boards for panel in board["panels"])
    for board, text in zip(boards, made.values(), strict=True):
        ET.fromstring(text)  # noqa: S314 - what was drawn here
        assert "drawn by matplotlib from its live Prometheus" in text
        assert all(json.dumps(panel["title"])[1:-1] in text for panel in board["panels"])


def test_a_panel_without_data_is_drawn_as_one() -> None:
    asking, _ = prometheus()
    board = planned_dashboards(shipped("stage-b").containers)[-1]
    panels = read(board, asking, BEGAN, ENDED)
    assert all(panel.lines == {} for panel in panels)
    assert picture(board, panels, "stage-b").count("no data") == len(panels)
