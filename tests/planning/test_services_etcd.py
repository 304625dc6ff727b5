from __future__ import annotations

import re
from itertools import pairwise

import pytest

from dreamseed.planning.container import Container
from dreamseed.planning.services.etcd import plan_etcd, voting_hosts
from dreamseed.planning.topology import is_majority
from tests.planning.stages import WITNESS, configured_container, planned, server, shipped

IMAGE = shipped("stage-e").config.postgres.image


def voters(number: int, *, witness: bool) -> list[str]:
    change = {"servers": {f"server-{n}": server(n) for n in range(1, number + 1)}}
    network = {"network": {"witness": WITNESS if witness else None}, "postgres": {"max_connections": 600}}
    return [host.name for host in voting_hosts(planned("stage-b", change | network).hosts)]


@pytest.mark.parametrize(
    ("number", "witness", "expected"),
    [
        (1, False, ["server-1"]),
        (1, True, ["server-1"]),
        (2, False, ["server-1"]),
        (2, True, ["server-1", "server-2", "witness"]),
        (3, False, ["server-1", "server-2", "server-3"]),
        (3, True, ["server-1", "server-2", "witness"]),
    ],
)
def test_one_member_votes_until_there_are_three_fault_domains(number: int, witness: bool, expected: list[str]) -> None:
    assert voters(number, witness=witness) == expected
    assert len(expected) % 2 == 1


def test_two_voters_would_stop_with_either_of_them() -> None:
    assert not is_majority(1, 2)
    assert is_majority(1, 1)
    assert is_majority(2, 3)


def members(containers: tuple[Container, ...]) -> list[Container]:
    return [one for one in containers if one.service == "etcd"]


def initial(member: Container) -> list[str]:
    argument = next(part for part in member.command if part.startswith("--initial-cluster="))
    return re.findall(r"(etcd-\d+)=", argument)


def test_members_join_one_after_the_other_as_learners_that_are_promoted() -> None:
    containers = plan_etcd(shipped("stage-e").hosts, IMAGE).containers
    assert [one.name for one in containers] == [
        "etcd-1",
        "etcd-2-add",
        "etcd-2",
        "etcd-2-promote",
        "etcd-3-add",
        "etcd-3",
        "etcd-3-promote",
    ]
    for earlier, later in pairwise(containers):
        assert later.after == (earlier.name,)
    assert [initial(one) for one in members(containers)] == [
        ["etcd-1"],
        ["etcd-1", "etcd-2"],
        ["etcd-1", "etcd-2", "etcd-3"],
    ]
    add = next(file.text for file in containers[1].files)
    assert "member add etcd-2 --learner" in add
    promote = next(file.text for file in containers[3].files)
    assert "member promote" in promote
    assert "--learner" not in promote


def test_the_first_member_is_the_same_before_and_after_others_join() -> None:
    assert configured_container(shipped("stage-a"), "etcd-1") == configured_container(shipped("stage-e"), "etcd-1")


def test_only_the_first_member_makes_a_new_cluster() -> None:
    states = [
        next(part for part in one.command if "initial-cluster-state" in part)
        for one in members(plan_etcd(shipped("stage-e").hosts, IMAGE).containers)
    ]
    assert states == ["--initial-cluster-state=new", *["--initial-cluster-state=existing"] * 2]


def test_each_member_stands_on_a_host_of_its_own_with_its_volume() -> None:
    plan = plan_etcd(shipped("stage-e").hosts, IMAGE)
    placed = [one.host for one in members(plan.containers)]
    assert len(set(placed)) == len(placed) == len(plan.volumes)
    assert [volume.host for volume in plan.volumes] == placed
