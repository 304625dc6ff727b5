"""Which chat requests are failed, which are tried again, and what is recorded of them."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from localtier.load.chat import ChatClient
from localtier.load.ledger import Event, Outcome, read_events
from localtier.load.targets import ChatTarget
from tests.localtier.load.fakes import Model, served


def events_after(folder: Path, port: int, count: int) -> list[Event]:
    """The first `count` things that happen to a client's requests, which are streamed by turns."""
    target = ChatTarget(port=port, model="m", timeout_seconds=30)
    client = ChatClient(folder, 50, target, {"Authorization": "Bearer key"})
    client.start()
    path = folder / "chat.jsonl"
    deadline = time.monotonic() + 30
    while len(list(read_events(path))) <= count and time.monotonic() < deadline:
        time.sleep(0.01)
    client.stop(30)
    return [event for event in read_events(path) if event.outcome not in (Outcome.START, Outcome.STOP)][:count]


def test_whole_answers_streamed_or_not_are_successes_with_their_times(tmp_path: Path) -> None:
    model = Model("ok")
    with served(model.handle) as ports:
        events = events_after(tmp_path, ports[0], 6)
    assert {event.outcome for event in events} == {Outcome.OK}
    assert {request["stream"] for request in model.requests} == {True, False}
    assert set(model.authorizations) == {"Bearer key"}
    streamed = [event for event in events if int(event.key or 0) % 2 == 0]
    assert all(event.first_seconds is not None for event in streamed)
    assert all(event.seconds for event in events)


@pytest.mark.parametrize("step", ["500", "429", "401", "cut", "unfinished", "reset"])
def test_anything_but_a_whole_answer_is_a_failure_and_not_tried_again(tmp_path: Path, step: str) -> None:
    model = Model(step)
    with served(model.handle) as ports:
        events = events_after(tmp_path, ports[0], 4)
    assert {event.outcome for event in events} == {Outcome.FAILED}
    assert {event.retries for event in events} == {0}
    assert all(event.error for event in events)


@pytest.mark.parametrize("status", ["502", "503", "530"])
def test_who_found_nobody_is_tried_once_more(tmp_path: Path, status: str) -> None:
    model = Model(status, "ok")
    with served(model.handle) as ports:
        events = events_after(tmp_path, ports[0], 20)
    assert {event.outcome for event in events} == {Outcome.OK}
    assert sum(event.retries for event in events) == 1


def test_what_fails_again_is_failed_after_one_retry(tmp_path: Path) -> None:
    with served(Model("503").handle) as ports:
        events = events_after(tmp_path, ports[0], 2)
    assert [(event.outcome, event.retries, event.error) for event in events] == [
        (Outcome.FAILED, 1, "status 503"),
        (Outcome.FAILED, 1, "status 503"),
    ]


def test_a_refused_connection_is_tried_once_more_and_then_failed(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        events = events_after(tmp_path, free.getsockname()[1], 2)
    assert {(event.outcome, event.retries) for event in events} == {(Outcome.FAILED, 1)}
    assert all((event.error or "").startswith("refused") for event in events)
