from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from localtier.experiments.kills import MOST_CHANGES, NOT_REPEATABLE, Kill, Killing, Victim, draw
from rehearsal.hosts import faults
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


def killing(tier: Tier, drawn: Sequence[Kill]) -> Killing:
    given: Any = tier
    world: Any = "world"
    return Killing(tier=given, world=world, stage="stage-b", kills=drawn, reached=lambda _: None)


@pytest.fixture(autouse=True)
def struck(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to Docker Engines."""
    told: list[str] = []
    for name in ("kill_engine", "start_engine"):
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
