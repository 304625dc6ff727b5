from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dreamseed.errors import PlanError
from dreamseed.planning.container import Container, Mount, NetworkName, Port, ServicePlan, Volume, VolumeKind
from dreamseed.planning.placement import add_up, check_placement
from tests.planning.stages import planned, shipped

HOSTS = shipped("stage-d").hosts
SERVER = HOSTS[0]


def container(name: str, **fields: Any) -> Container:
    small = Container(
        name=name,
        component="part",
        service=name,
        host="server-1",
        image="redis",
        networks=(NetworkName.DATA,),
        memory_mib=64,
        cpu_cores=0.1,
    )
    return replace(small, **fields)


def volume(name: str, size_gib: int = 1, host: str = "server-1") -> Volume:
    return Volume(name=name, host=host, kind=VolumeKind.DATA, size_gib=size_gib)


def plan(*containers: Container, volumes: tuple[Volume, ...] = ()) -> ServicePlan:
    return ServicePlan(component="part", containers=containers, volumes=volumes)


def refusal(*services: ServicePlan) -> PlanError:
    with pytest.raises(PlanError) as refused:
        check_placement("stage-d", HOSTS, services)
    return refused.value


def test_what_fits_exactly_is_accepted_and_added_up() -> None:
    full = container("full", memory_mib=SERVER.memory_mib, cpu_cores=float(SERVER.cpu_cores))
    services = [plan(full, volumes=(volume("full", SERVER.disk_gib),))]
    (load,) = check_placement("stage-d", HOSTS, services)
    assert (load.share("memory_mib"), load.share("cpu_cores"), load.share("disk_gib")) == (1.0, 1.0, 1.0)
    assert load.containers == 1


@pytest.mark.parametrize(
    ("over", "words"),
    [
        (plan(container("big", memory_mib=SERVER.memory_mib + 1)), "MiB of memory"),
        (plan(container("big", cpu_cores=SERVER.cpu_cores + 0.1)), "CPU cores"),
        (plan(container("big"), volumes=(volume("big", SERVER.disk_gib + 1),)), "GiB of disk"),
    ],
)
def test_a_server_that_would_overflow_is_refused_with_what_takes_most(over: ServicePlan, words: str) -> None:
    error = refusal(over)
    assert error.where == "stage-d › servers › server-1"
    assert words in error.what
    assert "part" in error.why


@pytest.mark.parametrize(
    ("services", "where", "what"),
    [
        ([plan(container("twin")), plan(container("twin"))], "container twin", "is planned twice"),
        (
            [plan(volumes=(volume("twin"),)), plan(volumes=(volume("twin"),))],
            "volume twin",
            "is planned twice",
        ),
        ([plan(container("lost", host="server-9"))], "container lost", "the host server-9"),
        ([plan(container("waits", after=("nobody",)))], "container waits", "the container nobody in `after`"),
        (
            [plan(container("reads", mounts=(Mount(volume="none", path="/data"),)))],
            "container reads",
            "the volume none on server-1",
        ),
        (
            [
                plan(
                    container("a", ports=(Port(container=1, published=80, purpose="x"),)),
                    container("b", ports=(Port(container=2, published=80, purpose="y"),)),
                )
            ],
            "container b",
            "publishes port 80 of server-1, which a has",
        ),
        (
            [plan(container("a", gpu_indices=(0, 1)), container("b", gpu_indices=(1,)))],
            "container b",
            "uses GPU 1 of server-1",
        ),
        ([plan(container("a", gpu_indices=(4,)))], "container a", "uses GPU 4 of server-1"),
    ],
)
def test_what_would_collide_or_is_not_there_is_refused(services: list[ServicePlan], where: str, what: str) -> None:
    error = refusal(*services)
    assert error.where == f"stage-d › {where}"
    assert what in error.what


def test_a_volume_of_another_host_cannot_be_mounted() -> None:
    hosts = shipped("stage-e").hosts
    away = plan(
        container("reads", mounts=(Mount(volume="there", path="/data"),)), volumes=(volume("there", host="server-2"),)
    )
    with pytest.raises(PlanError, match="the volume there on server-1"):
        check_placement("stage-e", hosts, [away])


def test_the_same_port_on_two_hosts_is_no_collision() -> None:
    hosts = shipped("stage-e").hosts
    port = (Port(container=1, published=80, purpose="x"),)
    both = plan(container("a", ports=port), container("b", host="server-2", ports=port))
    assert [load.containers for load in check_placement("stage-e", hosts, [both])] == [1, 1, 0]


def test_a_stage_that_asks_for_more_than_its_server_has_is_refused_whole() -> None:
    with pytest.raises(PlanError, match="MiB of memory asked for"):
        planned("stage-d", {"servers": {"server-1": {"memory_gib": 64}}})


def test_loads_count_every_container_once() -> None:
    for name in ("stage-a", "stage-e"):
        stage = shipped(name)
        loads = add_up(stage.hosts, stage.services)
        assert sum(load.containers for load in loads) == len(list(stage.containers))
        assert loads == stage.loads
