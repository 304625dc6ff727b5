"""Finding an engine, waiting for it, and turns."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import requests
from docker.errors import APIError

from rehearsal.providers.docker.engines import Engines
from rehearsal.providers.docker.turns import Turns
from rehearsal.providers.seams import RefusedError

HOST = "ssh://ops@one.example"
SECONDS = 5.0


class Client:
    """Stands for `docker.APIClient`: answers once it has been tried often enough."""

    tries = 0
    down_for = 0

    def __init__(self, **_given: object) -> None:
        type(self).tries += 1
        if self.tries <= self.down_for:
            raise requests.exceptions.ConnectionError("no such file")

    def close(self) -> None:
        return None


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> type[Client]:
    fresh = type("Fresh", (Client,), {})
    monkeypatch.setattr("rehearsal.providers.docker.engines.APIClient", fresh)
    monkeypatch.setattr("rehearsal.providers.docker.engines.RETRY_SECONDS", 0.001)
    return fresh


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    file = tmp_path / "hosts.json"
    file.write_text(json.dumps({HOST: "unix:///one.sock"}), encoding="utf-8")
    return file


def test_a_host_that_comes_later_is_found_without_a_new_start(client: type[Client], mapping: Path) -> None:
    engines = Engines(mapping)
    with pytest.raises(RefusedError, match=f"'ssh://two': add it to {mapping}.*known are: {HOST}"):
        engines.connected("ssh://two").__enter__()
    mapping.write_text(json.dumps({HOST: "unix:///one.sock", "ssh://two": "unix:///two.sock"}), encoding="utf-8")
    with engines.connected("ssh://two"):
        pass


@pytest.mark.parametrize("text", ["no json", "[]", '{"ssh://x": 1}'])
def test_a_mapping_of_another_form_is_refused_with_the_right_one(mapping: Path, text: str) -> None:
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="Docker host"):
        Engines(mapping).mapping()


def test_an_engine_that_restarts_is_waited_for(client: type[Client], mapping: Path) -> None:
    client.down_for = 3
    with Engines(mapping).connected(HOST):
        assert client.tries == 4


def test_an_engine_that_stays_away_is_an_error_to_try_again(client: type[Client], mapping: Path) -> None:
    client.down_for = 10**9
    with pytest.raises(RefusedError, match=r"did not answer at unix:///one.sock within 0.01 s: start it"):
        Engines(mapping, patience_seconds=0.01).connected(HOST).__enter__()


def test_an_engine_that_dies_in_a_call_says_that_the_same_command_may_run_again(
    client: type[Client], mapping: Path
) -> None:
    with pytest.raises(RefusedError, match="run the same command again"), Engines(mapping).connected(HOST):
        raise requests.exceptions.ConnectionError("reset")


def test_what_docker_refuses_is_told_with_the_host(client: type[Client], mapping: Path) -> None:
    with pytest.raises(RefusedError, match=f"{HOST}: port is already allocated"), Engines(mapping).connected(HOST):
        raise APIError("500", explanation="port is already allocated")


def test_calls_for_one_object_go_one_after_the_other_and_others_do_not_wait() -> None:
    turns, order = Turns(), []
    entered, release = threading.Event(), threading.Event()

    def first() -> None:
        with turns.take(("host", "box"), "urn:a"):
            entered.set()
            release.wait(SECONDS)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(SECONDS)
    with turns.take(("host", "other"), "urn:b"):
        order.append("other")

    def after() -> None:
        with turns.take(("host", "box"), "urn:c"):
            order.append("second")

    second = threading.Thread(target=after)
    second.start()
    release.set()
    thread.join(SECONDS)
    second.join(SECONDS)
    assert order == ["other", "first", "second"]


@pytest.mark.parametrize(("newer", "gives_up"), [("urn:a", True), ("urn:b", False)])
def test_a_call_that_waits_gives_up_for_a_newer_one_of_the_same_resource_only(newer: str, gives_up: bool) -> None:
    turns, ended = Turns(), []
    entered, asked = threading.Event(), threading.Event()

    def waiting() -> None:
        try:
            with turns.take(("host", "box"), "urn:a") as turn:
                entered.set()
                asked.wait(SECONDS)
                turn.check()
                ended.append(False)
        except RefusedError:
            ended.append(True)

    def taking() -> None:
        with turns.take(("host", "box"), newer):
            pass

    old, new = threading.Thread(target=waiting), threading.Thread(target=taking)
    old.start()
    assert entered.wait(SECONDS)
    new.start()
    while len(turns._queues[("host", "box")]) < 2:
        threading.Event().wait(0.001)
    asked.set()
    old.join(SECONDS)
    new.join(SECONDS)
    assert ended == [gives_up]


def test_a_provider_that_stops_ends_every_wait_and_takes_no_more() -> None:
    turns = Turns()
    with turns.take(("a",), "urn:a") as turn:
        turns.stop()
        with pytest.raises(RefusedError, match="the provider stops"):
            turn.pause(SECONDS)
    with pytest.raises(RefusedError, match="the provider stops"), turns.take(("a",), "urn:a"):
        pass
