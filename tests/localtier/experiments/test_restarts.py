from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localtier.experiments import restarts
from localtier.experiments.restarts import Restart, line, problems, restart_each, restart_engines
from localtier.experiments.trials import Client
from localtier.load.ledger import Event, Outcome
from localtier.load.run import LoadRun
from rehearsal.hosts import HostsError
from tests.planning.stages import shipped

CLIENTS = (Client.POSTGRES, Client.CHAT)


class Stage:
    """A stage in a time of its own, with a success a second; a restart takes `AWAY` seconds without any."""

    AWAY = 7.0

    def __init__(self) -> None:
        self.time = 100.0
        self.restarted: list[str] = []
        self.health: list[list[str]] = []
        self.fails: Exception | None = None
        self._events: dict[Client, list[Event]] = {}

    def restart_engine(self, host: str) -> None:
        self.restarted.append(host)
        if self.fails is not None:
            raise self.fails
        self.time += self.AWAY

    def shape_cache(self) -> None:
        self.restarted.append("cache")

    def unhealthy(self) -> list[str]:
        for _ in range(3):
            for events in self._events.values():
                events.append(Event(time=self.time, outcome=Outcome.OK))
            self.time += 1
        return self.health.pop(0) if self.health else []

    @contextmanager
    def watching(self, clients: frozenset[Client]) -> Iterator[Stage]:
        self._events = {client: [Event(time=self.time, outcome=Outcome.OK)] for client in clients}
        yield self

    def events(self, client: Client) -> Sequence[Event]:
        return self._events[client]

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_each_engine_is_restarted_and_what_clients_noticed_is_told() -> None:
    stage = Stage()
    done = restart_each(stage, ["server-1", "server-2"], CLIENTS)
    assert stage.restarted == ["server-1", "cache", "server-2", "cache"]
    assert [one.host for one in done] == ["server-1", "server-2"]
    for one in done:
        assert one.away_seconds == dict.fromkeys(CLIENTS, Stage.AWAY)
        assert (one.whole_seconds, one.broken) == (Stage.AWAY + 3, ())
    assert list(problems(done)) == []
    assert (
        line(done[0])
        == "Docker Engine of server-1 killed and started: whole after 10 s; away: chat 7.0 s, postgres 7.0 s"
    )


def test_what_does_not_come_back_is_a_finding_and_ends_the_restarts() -> None:
    stage = Stage()
    stage.health = [["grafana: exited"]]
    done = restart_each(stage, ["server-1", "server-2"], CLIENTS)
    assert stage.restarted == ["server-1"]
    [problem] = problems(done)
    assert problem.endswith("; not as planned: grafana: exited")


def test_an_engine_that_cannot_be_restarted_is_a_finding() -> None:
    stage = Stage()
    stage.fails = HostsError("the engine of server-1 does not answer", "read its log")
    [problem] = problems(restart_each(stage, ["server-1"], CLIENTS))
    assert "could not be done: the engine of server-1 does not answer" in problem


def test_every_host_of_the_stage_is_meant_and_every_client_that_it_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Sequence[str], Sequence[Client]]] = []

    def taken(_: object, hosts: Sequence[str], clients: Sequence[Client]) -> list[Restart]:
        asked.append((hosts, clients))
        return []

    monkeypatch.setattr(restarts, "restart_each", taken)
    tier: Any = SimpleNamespace(world=lambda plan: None)
    restart_engines(tier, shipped("stage-e"), LoadRun(folder=tmp_path))
    [(hosts, clients)] = asked
    assert hosts == ["server-1", "server-2", "witness"]
    assert set(clients) == set(Client)
