"""The window of a promotion on a tier whose Alertmanager is made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from localtier import maintenance
from localtier.network import ask_outside
from rehearsal.hosts import World
from tests.localtier.experiments.fakes import Screen
from tests.planning.stages import shipped


class Made:
    """A tier that stands at `stage`, and what its Alertmanager was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stage: str | None, *, answers: bool = True) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.screen = Screen(width=500)
        self.tier: Any = SimpleNamespace(
            standing=stage and SimpleNamespace(stage=stage, target=stage),
            plan=shipped,
            world=lambda plan: plan,
            console=self.screen,
        )
        self._answers = answers
        client = httpx.Client
        monkeypatch.setattr(
            httpx,
            "Client",
            lambda **settings: client(**{**settings, "transport": httpx.MockTransport(self._answer)}),
        )
        monkeypatch.setattr(maintenance, "ask_outside", lambda world, ask: ask())

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        if not self._answers:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json={"silenceID": "x", "status": {"state": "active"}})

    @property
    def calls(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.asked]


OPENED = "POST /api/v2/silences"
CLOSED = ["GET /api/v2/silence/x", "DELETE /api/v2/silence/x"]


def test_a_promotion_is_silent_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch, "stage-b")
    with maintenance.window(made.tier, "stage-c"):
        assert made.calls == [OPENED]
    assert made.calls == [OPENED, *CLOSED]
    body = made.asked[0][2]
    assert body["comment"] == "stage-b → stage-c"
    assert "KafkaBrokerMissing" in body["matchers"][0]["value"].split("|")


def test_a_promotion_that_fails_is_loud_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch, "stage-b")
    with pytest.raises(RuntimeError), maintenance.window(made.tier, "stage-c"):
        raise RuntimeError
    assert made.calls == [OPENED, *CLOSED]


@pytest.mark.parametrize("stage", [None, "stage-c"])
def test_nothing_is_silenced_where_nothing_is_promoted(monkeypatch: pytest.MonkeyPatch, stage: str | None) -> None:
    made = Made(monkeypatch, stage)
    with maintenance.window(made.tier, "stage-c"):
        pass
    assert made.calls == []


def test_an_alertmanager_that_does_not_answer_keeps_no_promotion_back_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(monkeypatch, "stage-b", answers=False)
    with maintenance.window(made.tier, "stage-c"):
        went_on = True
    assert went_on
    assert made.calls == [OPENED]
    assert "No silence is open meanwhile" in made.screen.written.getvalue()


def test_a_world_that_does_not_run_cannot_be_asked(tmp_path: Path) -> None:
    world = World(root=tmp_path, prefix="none", lans=(), hosts=())
    with pytest.raises(OSError, match="none-outside"):
        ask_outside(world, lambda: None)
