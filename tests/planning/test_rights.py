from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dreamseed.planning.container import Container
from dreamseed.planning.rights import AS_ROOT, PROCESSES_OF_A_USER, is_read_only, limits_of
from policy.rules.containers import MAY_BE_ROOT, MOST_PROCESSES
from tests.planning.stages import STAGE_NAMES, container, planned, shipped


def uid_of(one: Container) -> int:
    return int((one.user or "0").partition(":")[0])


def unreadable(one: Container) -> Iterator[str]:
    """The files of a container that its user may not read: without capabilities that holds for root, too."""
    for file in one.files:
        mode = int(file.mode, 8)
        if not mode & (0o400 if file.owner == uid_of(one) else 0o004):
            yield file.path


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_container_reads_each_of_its_files_as_the_user_that_it_is(name: str) -> None:
    assert {one.name: found for one in shipped(name).containers if (found := list(unreadable(one)))} == {}


def test_a_file_of_somebody_else_would_be_noticed() -> None:
    redis = container(shipped("stage-b"), "redis-1")
    assert list(unreadable(replace(redis, user="70"))) == [file.path for file in redis.files]
    assert list(unreadable(replace(redis, user=None)))


def test_root_is_who_has_a_reason_and_nobody_else() -> None:
    with_cards = planned("stage-e", {"vllm": {"accelerator": "nvidia"}})
    assert {one.service for one in with_cards.containers if one.user is None} == set(AS_ROOT)
    assert set(AS_ROOT) == MAY_BE_ROOT
    assert PROCESSES_OF_A_USER == MOST_PROCESSES


def test_what_gets_no_file_writes_nowhere_but_in_its_volumes() -> None:
    stage = shipped("stage-e")
    assert {one.service for one in stage.containers if is_read_only(one)} == {"etcd", "node-exporter", "kafka-exporter"}
    assert not is_read_only(container(stage, "redis-1"))


def test_a_user_is_held_to_a_number_of_processes_and_root_is_not() -> None:
    stage = shipped("stage-e")
    assert limits_of(container(stage, "pg-1-1")) == {"nproc": PROCESSES_OF_A_USER}
    assert "nproc" not in limits_of(container(stage, "server-1-vllm-1"))
