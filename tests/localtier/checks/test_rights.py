from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from localtier.checks.rights import kernel_says, rights
from tests.localtier.checks.healthy import Stage
from tests.planning.stages import shipped


def found(name: str, **fields: Any) -> list[str]:
    """What is found against stage E when the process of the container `name` is another."""
    stage = Stage(shipped("stage-e"))
    if name:
        host = next(one.host for one in stage.plan.containers if one.name == name)
        pid = stage.inspected[host][name]["State"]["Pid"]
        stage.processes[pid] = replace(stage.processes[pid], **fields)
    return [finding.detail for finding in rights(stage.site) if not finding.ok]


def test_nothing_is_found_against_containers_that_are_held_as_planned() -> None:
    assert found("") == []


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("redis-1", {"uid": 0}, "redis-1 runs as 0, planned 999"),
        ("redis-exporter", {"uid": 999}, "redis-exporter runs as 999, planned 59000"),
        ("server-1-vllm-1", {"capabilities": 1 << 13}, "server-1-vllm-1 has capabilities 0x2000, planned 0x0"),
        ("redis-1", {"capabilities": 1 << 12}, "redis-1 has capabilities 0x1000, planned 0x0"),
        (
            "server-1-packet-filter",
            {"capabilities": 3 << 12},
            "server-1-packet-filter has capabilities 0x3000, planned 0x1000",
        ),
        ("server-1-wireguard", {"capabilities": 0}, "server-1-wireguard has capabilities 0x0, planned 0x1000"),
        ("server-2-packet-filter", {"capabilities": 0}, "server-2-packet-filter has capabilities 0x0, planned 0x1000"),
        ("kafka-1", {"no_new_privileges": False}, "kafka-1 may gain privileges"),
        ("tunnel-1", {"filtered": False}, "tunnel-1 calls the kernel without a filter"),
        ("pg-1-1", {"processes": None}, "pg-1-1 may have any number of processes, planned 16384"),
        ("pg-1-1", {"processes": 99_999}, "pg-1-1 may have 99999 processes, planned 16384"),
        ("etcd-1", {"read_only": False}, "etcd-1 can write its root file system"),
    ],
)
def test_a_container_with_more_rights_is_told(name: str, fields: dict[str, Any], words: str) -> None:
    assert found(name, **fields) == [words]


def test_root_has_no_limit_of_processes_and_none_is_asked_for() -> None:
    assert found("server-1-vllm-1", processes=None) == []


def test_the_kernel_tells_of_a_process_as_it_is() -> None:
    here = kernel_says(os.getpid())
    assert here.uid == os.getuid()
    assert not here.read_only
    with pytest.raises(LookupError, match="is gone"):
        kernel_says(2**22 + 1)
