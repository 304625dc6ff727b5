from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from localtier.experiments.kills import MOST_CHANGES, NOT_REPEATABLE, Kill, Killing, Victim, draw
from rehearsal.hosts import HostSpec, Lan, faults
from rehearsal.runner.engine import Interruption, Run
from tests.localtier.experiments.fakes import run
from tests.planning.stages import shipped

PULUMI = Kill(victim=Victim.PULUMI, after_changes=2)
DOCKER = Kill(victim=Victim.DOCKER, after_changes=3, host="server-1")


class Tier:
    """A tier of which each `up` ends as it is told; a strike of an interruption that comes about is made."""

    def __init__(self, *runs: Run) -> None:
        self.runs = list(runs)
        self.interruptions: list[Interruption | None] = []

    def up(self, stage: str, reached: object, interruption: Interruption | None = None) -> Run:
        self.interruptions.append(interruption)
        ended = self.runs.pop(0)
        if ended.interrupted and interruption is not None and interruption.strike is not None:
            interruption.strike()
        return ended


class World:
    """Two hosts; the running containers of each publish the ports that are given."""

    def __init__(self, *published: str) -> None:
        lan = Lan(name="servers", cidr="10.20.0.0/24", gateway="10.20.0.1")
        self.hosts = [HostSpec(name=f"server-{n}", address=f"10.20.0.1{n}", network=lan) for n in (1, 2)]
        self.published = published

    def __str__(self) -> str:
        return "world"

    def client(self, host: str) -> Any:
        assert host in {"server-1", "server-2"}
        bindings = {f"{port}/tcp": [{"HostIp": "", "HostPort": port}] for port in self.published}
        containers = [SimpleNamespace(attrs={"HostConfig": {"PortBindings": one}}) for one in (bindings, None)]
        listed = SimpleNamespace(list=lambda: containers)
        return SimpleNamespace(containers=listed, close=lambda: None)


def killing(tier: Tier, drawn: Sequence[Kill], world: Any = None) -> Killing:
    given: Any = tier
    world = world or World()
    return Killing(tier=given, world=world, stage="stage-b", kills=drawn, reached=lambda _: None)


@pytest.fixture(autouse=True)
def struck(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to Docker Engines."""
    told: list[str] = []
    for name in ("kill_engine", "start_engine", "restart_engine"):
        monkeypatch.setattr(faults, name, lambda world, host, name=name: told.append(f"{name} {host} of the {world}"))
    return told


def test_each_kill_interrupts_a_run_of_its_own_and_the_one_after_the_last_must_finish() -> None:
    killed, last = run({}, "killed", interrupted=True), run()
    tier = Tier(killed, killed, last)
    given = killing(tier, [PULUMI, PULUMI])
    assert given.bring() is last
    assert given.made == [PULUMI, PULUMI]
    assert [one and (one.after_changes, one.at_once) for one in tier.interruptions] == [(2, 2), (2, 2), None]


def test_a_pulumi_engine_is_killed_and_no_docker_engine(struck: list[str]) -> None:
    tier = Tier(run({}, "killed", interrupted=True), run())
    killing(tier, [PULUMI]).bring()
    assert tier.interruptions[0] == Interruption(after_changes=2, strike=None, spared=NOT_REPEATABLE)
    assert struck == []


def test_a_docker_engine_is_killed_and_started_again_on_the_host_that_was_drawn(struck: list[str]) -> None:
    tier = Tier(run(interrupted=True), run())
    given = killing(tier, [DOCKER])
    given.bring()
    assert struck == ["kill_engine server-1 of the world", "start_engine server-1 of the world"]
    assert given.made == [DOCKER]


def test_a_run_that_outlives_its_docker_engine_is_followed_by_another_all_the_same() -> None:
    last = run()
    assert killing(Tier(run(interrupted=True), last), [DOCKER]).bring() is last


@pytest.mark.parametrize("ended", [run(), run({}, "redis-1: is refused")], ids=["succeeded", "failed"])
def test_a_run_that_ended_before_its_kill_is_the_last_one_and_the_kill_is_not_said_to_be_made(ended: Run) -> None:
    tier = Tier(run({}, "killed", interrupted=True), ended)
    given = killing(tier, [PULUMI, DOCKER, PULUMI])
    assert given.bring() is ended
    assert given.made == [PULUMI]
    assert given.not_made == (DOCKER, PULUMI)
    assert tier.runs == []


TAKEN = "redis-1: driver failed: Bind for 10.20.0.12:6379 failed: port is already allocated"


def test_a_docker_engine_that_keeps_a_port_for_nobody_is_restarted_and_the_run_repeated(struck: list[str]) -> None:
    last = run()
    tier = Tier(run(interrupted=True), run({}, TAKEN), last)
    given = killing(tier, [DOCKER], World("16379"))
    assert given.bring() is last
    assert given.freed == ["10.20.0.12:6379"]
    assert struck[2:] == ["restart_engine server-2 of the world"]


def test_the_kill_of_a_run_that_a_kept_port_ended_is_made_in_the_next_one() -> None:
    tier = Tier(run({}, TAKEN), run(interrupted=True), run())
    given = killing(tier, [PULUMI])
    given.bring()
    assert given.made == [PULUMI]
    assert [one is not None for one in tier.interruptions] == [True, True, False]


@pytest.mark.parametrize(
    ("error", "published"),
    [(TAKEN, "6379"), ("redis-1: is refused", "16379"), ("redis-1: Bind for 10.20.0.12:6379 failed: in use", "1")],
)
def test_a_port_that_a_container_holds_and_any_other_fault_stay_faults(
    error: str, published: str, struck: list[str]
) -> None:
    ended = run({}, error)
    given = killing(Tier(ended), [PULUMI], World(published))
    assert given.bring() is ended
    assert (given.freed, struck) == ([], [])


BOTH = tuple(Victim)


def test_kills_are_the_same_for_a_seed_and_others_for_another_seed_or_stage() -> None:
    e = shipped("stage-e")
    assert draw(e, BOTH * 6, 7) == draw(e, BOTH * 6, 7)
    assert draw(e, BOTH * 6, 7) != draw(e, BOTH * 6, 8)
    assert [one.after_changes for one in draw(e, BOTH * 6, 7)] != [
        one.after_changes for one in draw(shipped("stage-d"), BOTH * 6, 7)
    ]


def test_victims_are_those_that_were_asked_for_and_every_host_and_number_of_changes_may_be_drawn() -> None:
    e = shipped("stage-e")
    drawn = draw(e, BOTH * 200, 1)
    assert [one.victim for one in drawn] == [*BOTH * 200]
    assert {one.after_changes for one in drawn} == set(range(1, MOST_CHANGES + 1))
    assert {one.host for one in drawn if one.victim is Victim.DOCKER} == {host.name for host in e.hosts}
    assert {one.host for one in drawn if one.victim is Victim.PULUMI} == {""}


def test_a_kill_says_what_it_kills_and_when() -> None:
    assert PULUMI.name == "Pulumi engine after 2 changes"
    assert DOCKER.name == "Docker Engine of server-1 after 3 changes"
