"""A worker's life on a made-up Docker Engine, and the project that gives it a place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import DockerException, NotFound
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

import localtier.spot.life as life
from autoscaler.cloud import DRAIN_ITEM
from localtier.spot.compute import Fate, SpotCompute
from localtier.spot.events import MachineEvent, MachineLog, What, read_machine_events
from localtier.spot.life import CONNECTOR, ENGINE, Life
from localtier.spot.settings import Place
from simulator.compute.model import RefusedError
from tests.localtier.spot.test_settings import SETTINGS

PLACES = (Place(host="spot-1", socket="1"), Place(host="spot-2", socket="2"))
LABELS: dict[str, str] = {}


@dataclass
class Box:
    """A container: what it was sent, and whether it still runs."""

    name: str
    engine: Docker
    status: str = "created"
    signals: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.status = "running"

    def put_archive(self, *_: object) -> None:
        self.engine.told.append(self.name)

    def reload(self) -> None:
        """Nothing to do."""

    def kill(self, signal: str) -> None:
        self.signals.append(signal)
        if signal == "SIGKILL" or not self.engine.stubborn:
            self.status = "exited"

    def exec_run(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(exit_code=0 if self.engine.healthy else 1)

    def remove(self, **_: object) -> None:
        if self.name not in self.engine.boxes:
            raise NotFound(self.name)
        del self.engine.boxes[self.name]


@dataclass
class Docker:
    """An engine: as much of docker-py's client as a life uses."""

    healthy: bool = True
    stubborn: bool = False
    boxes: dict[str, Box] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def containers(self) -> Docker:
        return self

    def ping(self) -> None:
        """It is there."""

    def create(self, *_: object, name: str, **__: object) -> Box:
        self.boxes[name] = Box(name, self)
        return self.boxes[name]

    def list(self, *, all: bool = False) -> list[Box]:  # noqa: A002 - docker-py's name
        return [one for one in self.boxes.values() if all or one.status == "running"]

    def close(self) -> None:
        """Nothing to do."""


@dataclass
class World:
    """A project whose machines live on made-up engines; `now` is the clock."""

    engines: dict[str, Docker]
    now: float = 1_000.0
    told: list[MachineEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        living = Life(settings=SETTINGS, tell=self.told.append, clock=lambda: self.now)
        self.compute = SpotCompute(PLACES, living, self.told.append)

    def insert(self, name: str) -> Fate:
        self.compute.insert(name, "z", LABELS, 600, f"id-{name}", self.now)
        return self.compute.fates[-1]

    def seen(self, machine: str = "w-1") -> list[What]:
        return [one.what for one in self.told if one.machine == machine]


soon = retry(
    retry=retry_if_exception_type(AssertionError), wait=wait_fixed(0.01), stop=stop_after_delay(60), reraise=True
)


@soon
def until(condition: Callable[[], bool]) -> None:
    assert condition()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    engines = {place.socket: Docker() for place in PLACES}
    monkeypatch.setattr(life, "client", lambda place: engines[place.socket])
    monkeypatch.setattr(life, "POLL_SECONDS", 0.01)
    made = World(engines)
    yield made
    made.now += 10_000
    for fate in made.compute.fates:
        ended(fate)


def ended(fate: Fate) -> None:
    assert isinstance(fate.thread, threading.Thread)
    fate.thread.join(60)
    assert not fate.thread.is_alive()


def test_a_worker_serves_drains_is_deleted_and_leaves_nothing(world: World) -> None:
    fate = world.insert("w-1")
    until(lambda: What.SERVING in world.seen())
    assert world.engines["1"].told == [ENGINE, CONNECTOR]
    assert fate.machine.report(world.now) == "serving"
    world.compute.drain("w-1", "z", {DRAIN_ITEM: "1000"}, "0", world.now)
    until(lambda: What.DRAINED in world.seen())
    assert fate.machine.report(world.now) == "drained"
    assert world.engines["1"].boxes[ENGINE].status == "running"
    world.compute.delete("w-1", "z", world.now)
    ended(fate)
    assert not world.engines["1"].boxes
    until(lambda: world.seen()[-1] is What.GONE)
    assert world.seen() == [
        What.ASKED,
        What.RUNNING,
        What.SERVING,
        What.DRAINING,
        What.DRAINED,
        What.DELETED,
        What.GONE,
    ]


def test_an_engine_that_never_answers_gets_no_connector_and_never_serves(world: World) -> None:
    world.engines["1"].healthy = False
    fate = world.insert("w-1")
    until(lambda: ENGINE in world.engines["1"].boxes)
    assert fate.machine.report(world.now) == "loading"
    world.compute.delete("w-1", "z", world.now)
    ended(fate)
    assert CONNECTOR not in world.engines["1"].told
    assert What.SERVING not in world.seen()


def test_a_machine_that_is_taken_back_is_told_to_stop_and_then_forced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "STOP_SECONDS", 0.05)
    world.engines["1"].stubborn = True
    fate = world.insert("w-1")
    until(lambda: What.SERVING in world.seen())
    boxes = list(world.engines["1"].boxes.values())
    world.compute.preempt("w-1", "z", world.now)
    assert fate.machine.status(world.now) == "STOPPING"
    ended(fate)
    assert [box.signals for box in boxes] == [["SIGTERM"], ["SIGTERM"]]
    assert not world.engines["1"].boxes
    assert world.seen()[-2:] == [What.PREEMPTED, What.GONE]


def test_a_machine_ends_itself_after_its_longest_run(world: World) -> None:
    fate = world.insert("w-1")
    until(lambda: What.SERVING in world.seen())
    world.now += 600
    ended(fate)
    assert world.seen()[-2:] == [What.EXPIRED, What.GONE]


def test_a_docker_engine_that_fails_is_told_and_its_place_is_free_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Place) -> Any:
        raise DockerException("no engine")

    with monkeypatch.context() as patched:
        patched.setattr(life, "client", broken)
        ended(world.insert("w-1"))
    assert world.seen()[-2:] == [What.FAILED, What.GONE]
    assert world.insert("w-2").place == PLACES[0]


def test_a_zone_with_no_free_place_is_sold_out_and_a_place_that_was_left_is_used_again(world: World) -> None:
    first, second = world.insert("w-1"), world.insert("w-2")
    assert [first.place, second.place] == list(PLACES)
    world.compute.insert("w-3", "z", LABELS, 600, "id-w-3", world.now)
    assert [one.target for one in world.compute.failed(world.now + 60)] == ["w-3"]
    assert world.compute.find("w-3", "z", world.now) is None
    until(lambda: What.SERVING in world.seen())
    world.compute.delete("w-1", "z", world.now)
    ended(first)
    assert world.insert("w-4").place == PLACES[0]


def test_a_machine_that_ends_keeps_its_reason_and_one_that_is_gone_is_not_found(world: World) -> None:
    fate = world.insert("w-1")
    world.compute.preempt("w-1", "z", world.now)
    world.compute.delete("w-1", "z", world.now)
    ended(fate)
    assert What.PREEMPTED in world.seen()
    assert What.DELETED not in world.seen()
    world.now += 60
    with pytest.raises(RefusedError, match="404"):
        world.compute.delete("w-1", "z", world.now)


def test_events_are_read_in_order_without_a_line_that_is_being_written(tmp_path: Any) -> None:
    log = MachineLog(tmp_path / "machines.jsonl")
    log.write(MachineEvent(time=2, machine="w-1", what=What.GONE))
    log.write(MachineEvent(time=1, machine="w-1", what=What.ASKED))
    with (tmp_path / "machines.jsonl").open("a") as file:
        file.write('{"time": 3, "mach')
    assert [one.what for one in read_machine_events(tmp_path / "machines.jsonl")] == [What.ASKED, What.GONE]
    assert read_machine_events(tmp_path / "absent") == []
