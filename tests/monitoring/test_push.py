from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from dreamseed import cli
from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.dashboards.push import push
from dreamseed.planning.services.monitoring_grafana import planned_dashboards
from tests.planning.stages import ROOT, shipped

URL = "https://dreamseed.grafana.net"
BOARDS = planned_dashboards(shipped("stage-c").containers)


class Grafana:
    """One that is made up: it keeps what it was asked, and refuses what has no title as Grafana does."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append((request.headers["authorization"], body))
        if self._status != 200:
            return httpx.Response(self._status, json={"message": "Access denied"})
        return httpx.Response(200, json={"url": f"/d/{body['dashboard']['uid']}/x", "status": "success"})


def test_each_dashboard_is_written_over_the_one_of_its_uid() -> None:
    grafana = Grafana()
    addresses = push(URL, "secret\n", BOARDS, httpx.MockTransport(grafana))
    assert [body["dashboard"] for _, body in grafana.asked] == list(BOARDS)
    assert {(key, body["overwrite"]) for key, body in grafana.asked} == {("Bearer secret", True)}
    assert addresses[0] == f"{URL}/d/{BOARDS[0]['uid']}/x"


def test_a_grafana_that_refuses_is_an_error_with_the_dashboards_title() -> None:
    grafana = Grafana(403)
    with pytest.raises(DreamSeedError, match="answers with 403") as caught:
        push(URL, "secret", BOARDS, httpx.MockTransport(grafana))
    assert BOARDS[0]["title"] in caught.value.where
    assert "secret" not in str(caught.value)
    assert len(grafana.asked) == 1


@pytest.mark.parametrize(("url", "token", "place"), [(URL, " ", "GRAFANA_TOKEN"), ("http://grafana", "x", "no https")])
def test_nothing_is_sent_without_a_token_or_unencrypted(url: str, token: str, place: str) -> None:
    grafana = Grafana()
    with pytest.raises(DreamSeedError, match=place):
        push(url, token, BOARDS, httpx.MockTransport(grafana))
    assert grafana.asked == []


def test_the_command_writes_a_stages_dashboards_as_files(tmp_path: Path) -> None:
    words = ["dashboards", "stage-c", "--output", str(tmp_path), "--project", str(ROOT)]
    result = CliRunner().invoke(cli.build(("dashboards",)), words)
    assert result.exit_code == 0, result.output
    assert len(BOARDS) > 5
    assert [json.loads((tmp_path / f"{one['uid']}.json").read_text(encoding="utf-8")) for one in BOARDS] == list(BOARDS)
