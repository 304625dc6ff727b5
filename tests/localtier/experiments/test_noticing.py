from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localtier.experiments import noticing
from localtier.experiments.noticing import (
    FRESH_SECONDS,
    LEDGERS,
    PAGES,
    QUIET_SECONDS,
    Probe,
    RunningWatch,
    Tail,
    interruption_seconds,
    lanes_of,
    pages,
    present,
    watching,
    works,
)
from localtier.experiments.trials import Client, clients_of, trials_of
from localtier.load.ledger import Event, Ledger, Outcome
from tests.planning.stages import STAGE_NAMES, shipped

LANES = ("1", "2")
NOW = 100.0
SINCE = 50.0
TIMES = st.integers(360, 400).map(lambda quarter: quarter / 4)
RANDOM = st.builds(Event, time=TIMES, outcome=st.sampled_from(Outcome), lane=st.sampled_from(LANES))


def event(time: float, outcome: Outcome = Outcome.OK, lane: str = "") -> Event:
    return Event(time=time, outcome=outcome, lane=lane)


def steady(until: float = NOW, lanes: Sequence[str] = LANES) -> list[Event]:
    """A success of each lane twice a second, for ten seconds."""
    return [event(until - 10 + half / 2, lane=lane) for half in range(21) for lane in lanes]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Lanes that go on until some time, and a few events of any kind among theirs: about as often well as not."""
    went_on = [one for lane in LANES for one in steady(draw(st.sampled_from([NOW, NOW, NOW - 0.5, NOW - 4])), [lane])]
    return sorted([*went_on, *draw(st.lists(RANDOM, max_size=3))], key=lambda one: one.time)


def test_a_client_works_when_every_lane_goes_on_without_an_error() -> None:
    assert works(steady(), LANES, SINCE, NOW)


@pytest.mark.parametrize("trouble", [Outcome.FAILED, Outcome.IN_DOUBT, Outcome.LOST])
def test_an_error_in_the_last_seconds_means_that_it_does_not_work_yet(trouble: Outcome) -> None:
    assert not works([*steady(), event(NOW - QUIET_SECONDS + 0.1, trouble)], LANES, SINCE, NOW)
    assert works([*steady(), event(NOW - QUIET_SECONDS, trouble)], LANES, SINCE, NOW)


def test_what_a_client_says_of_its_own_start_is_no_error() -> None:
    assert works([*steady(), event(NOW - 1, Outcome.START)], LANES, SINCE, NOW)


def test_a_lane_without_a_success_again_means_that_it_does_not_work() -> None:
    events = [*steady(lanes=["1"]), *steady(until=NOW - QUIET_SECONDS, lanes=["2"])]
    assert not works(events, LANES, SINCE, NOW)
    assert works(events, ["1"], SINCE, NOW)


def test_a_lane_that_only_failed_to_have_a_success_is_not_excused_by_another_lane() -> None:
    assert not works(steady(lanes=["1", "3"]), LANES, SINCE, NOW)


def test_a_client_that_fell_silent_just_now_does_not_work() -> None:
    assert not works(steady(until=NOW - FRESH_SECONDS), LANES, SINCE, NOW)
    assert works(steady(until=NOW - FRESH_SECONDS + 0.1), LANES, SINCE, NOW)


def test_nobody_is_said_to_work_before_it_could_have_been_seen() -> None:
    assert not works(steady(), LANES, NOW - QUIET_SECONDS + 0.1, NOW)
    assert works(steady(), LANES, NOW - QUIET_SECONDS, NOW)


def test_what_did_nothing_at_all_does_not_work() -> None:
    assert not works([], (), SINCE, NOW)


def test_only_lanes_that_had_a_success_are_waited_for() -> None:
    assert lanes_of([event(1, lane="1"), event(2, Outcome.FAILED, lane="2")]) == {"1"}


@given(histories(), st.sampled_from([SINCE, NOW - QUIET_SECONDS, NOW - 1]))
def test_works_is_what_its_words_say(events: list[Event], since: float) -> None:
    recent = [one for one in events if NOW - QUIET_SECONDS < one.time <= NOW]
    good = [one for one in recent if one.outcome is Outcome.OK]
    said = (
        since <= NOW - QUIET_SECONDS
        and not [one for one in recent if one.outcome in (Outcome.FAILED, Outcome.IN_DOUBT, Outcome.LOST)]
        and {one.lane for one in good} == set(LANES)
        and max((one.time for one in good), default=0.0) > NOW - FRESH_SECONDS
    )
    assert works(events, LANES, since, NOW) is said


@given(histories(), TIMES)
def test_an_error_never_makes_a_client_work(events: list[Event], time: float) -> None:
    with_error = sorted([*events, event(time, Outcome.FAILED)], key=lambda one: one.time)
    assert works(events, LANES, SINCE, NOW) or not works(with_error, LANES, SINCE, NOW)


def test_an_interruption_lasts_from_one_success_to_the_next_of_its_lane() -> None:
    events = [event(1, lane="1"), event(2, lane="2"), event(3, lane="2"), event(7.5, lane="1"), event(8, lane="2")]
    assert interruption_seconds(events, 0, 8) == 6.5


def test_an_interruption_that_has_not_ended_lasts_until_now() -> None:
    assert interruption_seconds([event(1), event(2), event(3, Outcome.FAILED)], 0, 20) == 18


def test_an_interruption_begins_with_the_loss_and_not_before() -> None:
    assert interruption_seconds([event(1), event(20)], 12, 20) == 8


def test_what_comes_after_now_does_not_count() -> None:
    assert interruption_seconds([event(1), event(2), event(30)], 0, 10) == 8


def test_without_any_success_there_is_nothing_to_interrupt() -> None:
    assert interruption_seconds([event(1, Outcome.FAILED)], 0, 10) == 0


@given(histories().map(lambda events: [one for one in events if one.outcome not in (Outcome.START, Outcome.STOP)]))
def test_an_interruption_is_the_longest_of_any_lane_and_no_longer_than_the_span(events: list[Event]) -> None:
    since = NOW - 8
    longest = 0.0
    for lane in lanes_of(events):
        times = [one.time for one in events if one.lane == lane and one.outcome is Outcome.OK]
        bounds = [*times, NOW]
        gaps = [end - max(begin, since) for begin, end in zip(times, bounds[1:], strict=True)]
        longest = max(longest, *gaps)
    found = interruption_seconds(events, since, NOW)
    assert found == pytest.approx(longest)
    assert 0 <= found <= NOW - since


def test_a_tail_gives_what_came_after_it_was_made_and_each_event_once(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path / "redis-1.jsonl"), Ledger(tmp_path / "redis-2.jsonl")
    first.write(Outcome.OK, key="before", lane="1")
    tail = Tail(tmp_path, LEDGERS[Client.REDIS])
    first.write(Outcome.OK, key="new", lane="1", seconds=0.5)
    second.write(Outcome.IN_DOUBT, key="other", error="reset", lane="2")
    taken = list(tail.take())
    assert [(one.key, one.outcome, one.lane, one.error) for one in taken] == [
        ("new", Outcome.OK, "1", None),
        ("other", Outcome.IN_DOUBT, "2", "reset"),
    ]
    assert list(tail.take()) == []


def test_a_line_that_is_still_being_written_comes_with_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    path.touch()
    tail = Tail(tmp_path, LEDGERS[Client.CHAT])
    with path.open("a") as ledger:
        ledger.write('{"time":1,"outcome":"ok"}\n{"time":2,"out')
        ledger.flush()
        assert [one.time for one in tail.take()] == [1]
        ledger.write('come":"failed"}\n')
        ledger.flush()
        assert [(one.time, one.outcome) for one in tail.take()] == [(2, Outcome.FAILED)]


def test_a_line_that_a_kill_cut_short_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    tail = Tail(tmp_path, LEDGERS[Client.CHAT])
    path.write_text('{"time":1,"outcome":"failed","error":"{x}\n\n{"time":2,"outcome":"ok"}\n')
    assert [one.time for one in tail.take()] == [2]


def test_a_ledger_that_is_new_is_read_from_its_beginning(tmp_path: Path) -> None:
    tail = Tail(tmp_path, LEDGERS[Client.REDIS])
    Ledger(tmp_path / "redis-3.jsonl").write(Outcome.OK, lane="3")
    assert [one.outcome for one in tail.take()] == [Outcome.START, Outcome.OK]


def test_readers_ledgers_are_not_taken_for_writers(tmp_path: Path) -> None:
    tails = {client: Tail(tmp_path, pattern) for client, pattern in LEDGERS.items()}
    for name in ("postgres-reader", "redis-reader"):
        Ledger(tmp_path / f"{name}.jsonl")
    assert [one for tail in tails.values() for one in tail.take()] == []


def test_a_watch_keeps_what_it_saw_in_order_of_time_over_all_ledgers(tmp_path: Path) -> None:
    watch = RunningWatch({Client.REDIS: Tail(tmp_path, LEDGERS[Client.REDIS])}, {})
    (tmp_path / "redis-1.jsonl").write_text('{"time":1,"outcome":"ok"}\n{"time":3,"outcome":"ok"}\n')
    (tmp_path / "redis-2.jsonl").write_text('{"time":2,"outcome":"ok"}\n')
    assert [one.time for one in watch.events(Client.REDIS)] == [1, 2, 3]
    with (tmp_path / "redis-2.jsonl").open("a") as ledger:
        ledger.write('{"time":4,"outcome":"ok"}\n')
    assert [one.time for one in watch.events(Client.REDIS)] == [1, 2, 3, 4]


class Outside:
    """A world whose outside is this machine: a page answers as `command` ends."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.asked: list[list[str]] = []

    def outside(self, command: Sequence[str]) -> list[str]:
        self.asked.append(list(command))
        return [self.command]


@pytest.mark.parametrize(("command", "outcome"), [("true", Outcome.OK), ("false", Outcome.FAILED)])
def test_a_page_is_asked_again_and_again_until_the_watch_ends(
    command: str, outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Semaphore(0)
    real = subprocess.run

    def counted(*arguments: Any, **options: Any) -> Any:
        asked.release()
        return real(*arguments, **options)

    monkeypatch.setattr(noticing, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(subprocess, "run", counted)
    world: Any = Outside(command)
    with watching(shipped("stage-e"), world, tmp_path, [Client.GRAFANA, Client.CHAT]) as watch:
        for _ in range(3):
            assert asked.acquire(timeout=60)
        (tmp_path / "chat.jsonl").write_text('{"time":1,"outcome":"ok"}\n')
        assert [one.time for one in watch.events(Client.CHAT)] == [1]
        seen = watch.events(Client.GRAFANA)
    assert len(seen) >= 2
    assert {one.outcome for one in seen} == {outcome}
    assert len(world.asked) == 1
    assert world.asked[0][-1] == pages(shipped("stage-e"))[Client.GRAFANA]
    assert not [thread for thread in threading.enumerate() if thread.name == world.asked[0][-1]]


def test_pages_are_no_longer_asked_for_when_the_watch_breaks(tmp_path: Path) -> None:
    world: Any = Outside("true")
    with (
        pytest.raises(ZeroDivisionError),
        watching(shipped("stage-a"), world, tmp_path, [Client.PROMETHEUS]),
    ):
        raise ZeroDivisionError
    assert not [thread for thread in threading.enumerate() if thread.name == world.asked[0][-1]]


def test_a_page_is_asked_for_with_a_limit_of_time_and_an_error_status_is_a_failure() -> None:
    world: Any = Outside("true")
    probe = Probe(world, "http://x/")
    probe.stop()
    assert {"-sf", "-m", str(noticing.PAGE_SECONDS)} <= set(world.asked[0])


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_page_is_on_the_private_address_of_its_server_at_a_published_port(stage: str) -> None:
    plan = shipped(stage)
    published = {
        (host.address, port.published, container.service)
        for host in plan.hosts
        for container in plan.containers
        if container.host == host.name
        for port in container.ports
    }
    for client, url in pages(plan).items():
        address, port = url.removeprefix("http://").split("/", 1)[0].split(":")
        assert (address, int(port), client.value) in published
        assert url.endswith(PAGES[client])


def test_a_stage_has_the_clients_of_its_services_and_no_other() -> None:
    assert present(shipped("stage-a")) == (Client.POSTGRES, Client.CHAT, Client.PROMETHEUS, Client.ALERTMANAGER)
    assert set(present(shipped("stage-e"))) == set(Client)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_whoever_would_notice_a_loss_is_there_at_every_stage(stage: str) -> None:
    plan = shipped(stage)
    for trial in trials_of(plan):
        for claim in trial.claims:
            assert clients_of(claim.component, present(plan)), claim.component
