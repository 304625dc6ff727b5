from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import DataLoss, Loss
from dreamseed.planning.survivability.stateless import WATCHERS
from localtier.experiments import losses
from localtier.experiments.losses import CACHE_SHAPER, SPARED, Losses, reason_not_tried
from localtier.experiments.trials import Trial, trials_of
from rehearsal.hosts import HostsError, faults
from tests.localtier.experiments.fakes import claim, trial
from tests.planning.stages import STAGE_NAMES, container, shipped

E = shipped("stage-e")


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_disk_is_wiped_whose_data_are_not_to_be_had_again_but_that_of_metrics(stage: str) -> None:
    plan = shipped(stage)
    for one in trials_of(plan):
        lasting = [of for of in one.claims if of.component not in WATCHERS and of.data_lost not in SPARED]
        if one.loss is Loss.DISK and lasting:
            assert reason_not_tried(plan, one), one.name


@pytest.mark.parametrize("data_lost", sorted(set(DataLoss) - SPARED))
def test_one_claim_of_lost_data_among_others_keeps_a_disk_from_being_wiped(data_lost: DataLoss) -> None:
    claims = [claim(loss=Loss.DISK), claim("kafka", loss=Loss.DISK, data_lost=data_lost)]
    reason = reason_not_tried(E, trial(*claims))
    assert reason is not None
    assert "kafka" in reason
    assert str(data_lost) in reason


@pytest.mark.parametrize("data_lost", sorted(SPARED))
@pytest.mark.parametrize("loss", list(Loss))
def test_what_loses_nothing_or_only_cache_is_tried(loss: Loss, data_lost: DataLoss) -> None:
    assert reason_not_tried(E, trial(claim(loss=loss, data_lost=data_lost))) is None


@pytest.mark.parametrize("loss", [Loss.CONTAINER, Loss.LINK, Loss.SERVER])
def test_what_leaves_every_disk_as_it_is_is_tried_whatever_is_said_of_data(loss: Loss) -> None:
    assert reason_not_tried(E, trial(claim(loss=loss, data_lost=DataLoss.UP_TO_RPO))) is None


def test_the_disk_of_one_of_several_members_of_etcd_is_left_alone_and_that_of_the_only_one_is_not() -> None:
    lost = trial(claim("etcd", loss=Loss.DISK, target="etcd-1-data"))
    reason = reason_not_tried(E, lost)
    assert reason is not None
    assert "by hand" in reason
    assert reason_not_tried(shipped("stage-a"), lost) is None
    assert reason_not_tried(E, trial(claim("etcd", target="etcd-1"))) is None


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_server_and_link_is_tried(stage: str) -> None:
    plan = shipped(stage)
    hosts = [one for one in trials_of(plan) if one.loss in (Loss.SERVER, Loss.LINK)]
    assert len(hosts) == {"stage-e": 4}.get(stage, 1)
    assert [one for one in hosts if reason_not_tried(plan, one)] == []


@dataclass
class Docker:
    """A Docker Engine whose containers note what they are told; jobs end with `ends`, commands print `says`."""

    host: str
    told: list[str]
    ends: int = 0
    exec_code: int = 0
    says: Callable[[str, str], bytes] = lambda _name, _words: b"busy"
    containers: Any = field(init=False)

    def __post_init__(self) -> None:
        self.containers = self

    def get(self, name: str) -> SimpleNamespace:
        def note(what: str, answer: Any = None) -> Callable[..., Any]:
            def noted(*arguments: object, **options: object) -> Any:
                words = [what, f"{self.host}/{name}", *map(str, arguments)]
                self.told.append(" ".join(words))
                return answer

            return noted

        return SimpleNamespace(
            start=note("start"),
            wait=note("wait", {"StatusCode": self.ends}),
            logs=lambda tail: b"no slots\n",
            restart=note("restart"),
            exec_run=lambda words, **_: note(
                "exec", SimpleNamespace(exit_code=self.exec_code, output=self.says(name, words[-1]))
            )(words),
        )

    def close(self) -> None:
        self.told.append(f"close {self.host}")


class World:
    """A world that notes what goes wrong in it."""

    def __init__(self, **docker: Any) -> None:
        self.told: list[str] = []
        self.docker = docker

    def client(self, host: str) -> Docker:
        return Docker(host, self.told, **self.docker)


@pytest.fixture(autouse=True)
def noted_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault is only noted, with what it is told."""
    for name in ("kill_container", "power_off", "power_on", "cut_link", "heal_link", "wipe_volume"):

        def noted(world: World, *arguments: str, name: str = name, **options: object) -> None:
            world.told.append(" ".join([name, *arguments, *options]))

        monkeypatch.setattr(faults, name, noted)


def made(lost: Trial, plan: StagePlan = E) -> tuple[list[str], list[str]]:
    """What is done to lose something, and to give it back."""
    world: Any = World()
    given = Losses(world=world, plan=plan)
    given.inject(lost)
    injected = list(world.told)
    world.told.clear()
    given.repair(lost)
    return injected, list(world.told)


def test_a_container_is_killed_on_its_own_host_stays_down_and_is_started_again() -> None:
    host = container(E, "kafka-4").host
    injected, repaired = made(trial(claim("kafka", target="kafka-4")))
    assert injected == [f"kill_container {host} kafka-4 stay_down"]
    assert repaired == [f"start {host}/kafka-4", f"close {host}"]


def test_a_server_loses_its_power_and_gets_it_back() -> None:
    lost = trial(claim("kafka", loss=Loss.SERVER, target="server-2"))
    assert made(lost) == (["power_off server-2"], ["power_on server-2"])


def test_a_link_is_cut_between_its_two_ends_and_mended_there() -> None:
    lost = trial(claim("kafka", loss=Loss.LINK, target="server-1 – server-2"))
    assert made(lost) == (["cut_link server-1 server-2"], ["heal_link server-1 server-2"])


def test_a_volume_is_wiped_on_its_host_and_comes_back_by_itself() -> None:
    host = next(one.host for one in E.volumes if one.name == "kafka-4-data")
    lost = trial(claim("kafka", loss=Loss.DISK, target="kafka-4-data"))
    assert made(lost) == ([f"wipe_volume {host} kafka-4-data"], [])


def test_the_models_weights_are_deleted_under_the_engine_that_runs_on() -> None:
    volume = next(iter(E.vllm.volumes))
    lost = trial(claim("vllm", loss=Loss.DISK, target=volume.name))
    injected, repaired = made(lost)
    assert [text.split()[0] for text in injected] == ["exec", "close"]
    assert injected[0].startswith(f"exec {volume.host}/")
    assert "-mindepth" in injected[0]
    assert "-delete" in injected[0]
    assert repaired == []


def test_weights_that_could_not_be_deleted_are_no_loss() -> None:
    world: Any = World(exec_code=1)
    lost = trial(claim("vllm", loss=Loss.DISK, target=next(iter(E.vllm.volumes)).name))
    with pytest.raises(HostsError, match="could not be emptied"):
        Losses(world=world, plan=E).inject(lost)


def test_a_volume_that_nobody_writes_to_is_no_loss() -> None:
    world: Any = World()
    lost = trial(claim("vllm", loss=Loss.DISK, target="nobody's"))
    with pytest.raises(HostsError, match="nobody writes"):
        Losses(world=world, plan=E).inject(lost)


def patroni(primary: str, members: tuple[str, ...]) -> Callable[[str, str], bytes]:
    """What the members of a cluster say, all of whom see it in etcd."""
    roles = {name: "primary" if name == primary else "replica" for name in members}
    seen = [{"name": name, "role": "leader" if name == primary else "replica"} for name in members]

    def says(name: str, url: str) -> bytes:
        return json.dumps({"members": seen} if url.endswith("/cluster") else {"role": roles[name]}).encode()

    return says


@pytest.mark.parametrize("primary", ["pg-1-1", "pg-1-2"])
def test_a_database_whose_only_etcd_was_wiped_is_started_again_the_primary_first(primary: str) -> None:
    plan = shipped("stage-d")
    members = tuple(one.name for one in plan.topology.shards[0])
    assert len(members) > 1
    world: Any = World(says=patroni(primary, members))
    Losses(world=world, plan=plan).repair(trial(claim("etcd", loss=Loss.DISK, target="etcd-1-data")))
    restarted = [text.split("/")[1] for text in world.told if text.startswith("restart ")]
    assert restarted[0] == primary
    assert sorted(restarted) == sorted(members)


def test_a_replica_is_not_started_again_before_the_primary_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "LEADS_SECONDS", 0.0)
    monkeypatch.setattr(losses, "POLL_SECONDS", 0.0)
    world: Any = World(says=lambda name, url: b"{}" if url.endswith("/cluster") else b'{"role": "primary"}')
    with pytest.raises(HostsError, match="is not back in etcd"):
        Losses(world=world, plan=shipped("stage-d")).start_database_again()
    assert len([text for text in world.told if text.startswith("restart ")]) == 1


@pytest.mark.parametrize("loss", list(Loss))
def test_whatever_may_have_moved_the_caches_roles_the_plans_are_given_back(loss: Loss) -> None:
    target = {Loss.CONTAINER: "redis-1", Loss.DISK: "redis-1-data", Loss.SERVER: "server-1"}
    lost = trial(
        claim("kafka", loss=loss, target=target.get(loss, "server-1 – server-2")),
        claim("redis", loss=loss, target=target.get(loss, "server-1 – server-2")),
    )
    job = next(one for one in E.containers if one.service == CACHE_SHAPER)
    _, repaired = made(lost)
    assert repaired[-3:] == [f"start {job.host}/{job.name}", f"wait {job.host}/{job.name}", f"close {job.host}"]


def test_a_cache_that_cannot_be_brought_back_to_its_plan_is_not_repaired() -> None:
    world: Any = World(ends=1)
    with pytest.raises(HostsError, match="ended with 1: no slots"):
        Losses(world=world, plan=E).repair(trial(claim()))


def test_the_caches_roles_are_left_alone_where_the_cache_lost_nothing() -> None:
    _, repaired = made(trial(claim("kafka", target="kafka-1")))
    assert len(repaired) == 2
