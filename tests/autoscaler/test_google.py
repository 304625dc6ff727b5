"""The real client of google-cloud-compute against the stand-in, over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from google.cloud import compute_v1 as compute

from autoscaler.cloud import CloudError
from autoscaler.google import GoogleCloud, anonymous, clients
from autoscaler.records import Delete, Drain, Failure, Instance, Launch, Report, State, Status
from autoscaler.tick import turn
from simulator.compute.model import Compute, Faults, LostError, RefusedError
from simulator.compute.server import serving
from simulator.compute.walk import Memory
from tests.autoscaler.policies import NOW, busy, policy, sample

OWNER = "dreamseed-burst"
TEMPLATE = "projects/p/regions/us-central1/instanceTemplates/t"


@dataclass
class World:
    """The stand-in, its clock, and the client that speaks to it."""

    compute: Compute
    cloud: GoogleCloud
    now: float = NOW


@pytest.fixture
def world() -> Iterator[World]:
    made = World(Compute(Faults(provisioning_seconds=60, loading_seconds=100, drain_seconds=0)), None)  # type: ignore[arg-type]
    with serving(made.compute, lambda: made.now) as host:
        instances, operations = clients(host, "http", anonymous())
        made.cloud = GoogleCloud("p", OWNER, TEMPLATE, instances=instances, operations=operations)
        yield made


def launch(number: int = 1, zone: str = "us-central1-a") -> Launch:
    return Launch(
        name=f"{OWNER}-{number:06d}",
        request_id=f"request-{number}",
        zone=zone,
        owner=OWNER,
        epoch=7,
        expires_at=NOW + 7_200,
        max_run_seconds=6_900,
    )


def test_a_maintenance_event_takes_a_spot_machine_back_as_googles_does(world: World) -> None:
    world.cloud.launch(launch())
    world.now += 200
    with serving(world.compute, lambda: world.now) as host:
        instances, _ = clients(host, "http", anonymous())
        zone, name = launch().zone, launch().name
        instances.simulate_maintenance_event_unary(project="p", zone=zone, instance=name)
    assert [one.status for one in world.cloud.inventory(world.now).instances] == [Status.STOPPING]


def test_a_worker_is_followed_from_its_request_to_its_end(world: World) -> None:
    one, cloud = launch(), world.cloud
    cloud.launch(one)
    (machine,) = world.compute.machines
    assert machine.labels == {
        "dreamseed-owner": OWNER,
        "dreamseed-expires-at": str(int(NOW) + 7_200),
        "dreamseed-epoch": "7",
    }
    assert machine.max_run_seconds == 6_900
    world.now += 200
    (seen,) = cloud.inventory(world.now).instances
    assert seen == Instance(
        name=one.name,
        zone="us-central1-a",
        status=Status.RUNNING,
        created_at=NOW,
        expires_at=NOW + 7_200,
        report=Report.SERVING,
    )
    cloud.drain(Drain(name=one.name, zone=one.zone, since=world.now))
    (seen,) = cloud.inventory(world.now).instances
    assert seen.draining_since == world.now
    assert seen.report is Report.DRAINED
    cloud.delete(Delete(name=one.name, zone=one.zone))
    assert cloud.inventory(world.now).instances[0].status is Status.STOPPING
    world.now += 31
    assert not cloud.inventory(world.now).instances


def test_every_call_may_be_made_again(world: World) -> None:
    one, cloud = launch(), world.cloud
    for _ in range(2):
        cloud.launch(one)
    cloud.launch(one.model_copy(update={"request_id": "another"}))
    assert len(world.compute.machines) == 1
    world.now += 200
    for _ in range(2):
        cloud.drain(Drain(name=one.name, zone=one.zone, since=world.now))
    world.now += 5
    for _ in range(2):
        cloud.delete(Delete(name=one.name, zone=one.zone))
    world.now += 60
    cloud.drain(Drain(name=one.name, zone=one.zone, since=world.now))
    cloud.delete(Delete(name=one.name, zone=one.zone))


def test_more_pages_than_one_are_read_and_others_machines_are_not(world: World) -> None:
    for number in range(5):
        world.cloud.launch(launch(number, f"us-central1-{'abc'[number % 3]}"))
    world.compute.insert("other", "us-central1-a", {"dreamseed-owner": "else"}, 600, "r", NOW)
    found = world.cloud.inventory(world.now).instances
    assert sorted(one.name for one in found) == [f"{OWNER}-{number:06d}" for number in range(5)]


def test_a_stock_out_is_a_failure_that_says_so(world: World) -> None:
    world.compute.faults = Faults(stock_outs=1, provisioning_seconds=10)
    world.cloud.launch(launch())
    world.now += 11
    found = world.cloud.inventory(world.now)
    expected = Failure(
        name=launch().name, request_id="request-1", stock_out=True, message="ZONE_RESOURCE_POOL_EXHAUSTED"
    )
    assert (found.instances, found.failures) == ((), (expected,))


@pytest.mark.parametrize(("status", "failed"), [(400, True), (403, True), (429, False), (503, False), (500, False)])
def test_only_a_refusal_for_good_is_a_failure(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, failed: bool
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(status, "refused")

    with monkeypatch.context() as context:
        context.setattr(world.compute, "insert", refuse)
        with pytest.raises(CloudError, match="Compute Engine: "):
            world.cloud.launch(launch())
    assert bool(world.cloud.inventory(world.now).failures) is failed


def test_a_lost_answer_is_an_error_and_asking_again_makes_no_second_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.compute.faults = Faults(lost_answers=1)
    with pytest.raises(CloudError):
        world.cloud.launch(launch())
    world.compute.faults = Faults()
    world.cloud.launch(launch())
    assert len(world.compute.machines) == 1


def test_a_cloud_that_cannot_be_reached_is_an_error() -> None:
    instances, operations = clients("127.0.0.1:9", "http", anonymous())
    with pytest.raises(CloudError):
        GoogleCloud("p", OWNER, TEMPLATE, instances=instances, operations=operations).inventory(NOW)


def test_metadata_that_changed_meanwhile_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.cloud.launch(launch())
    (machine,) = world.compute.machines
    get = compute.InstancesClient.get

    def changed_meanwhile(*arguments: object, **named: object) -> object:
        found = get(*arguments, **named)  # type: ignore[arg-type]
        machine.fingerprint += 1
        return found

    monkeypatch.setattr(compute.InstancesClient, "get", changed_meanwhile)
    with pytest.raises(CloudError, match="412"):
        world.cloud.drain(Drain(name=launch().name, zone=launch().zone, since=world.now))


def test_the_daemons_turn_brings_a_worker_to_serve_and_away_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    memory, phases = Memory(State().model_dump_json()), []
    for number in range(160):
        world.now += 15
        observe = busy if number < 5 else sample
        quiet = {"kv_cache_usage": 0.2, "waiting": 0.0, "first_token_seconds": 0.1} if number > 60 else {}
        turn(memory, world.cloud, observe(world.now, **quiet), policy(), world.now, lambda _: None)
        phases += [one.phase.value for one in memory.read().workers]
    # The list shows a machine at once here, so that no turn finds it asked for only.
    order = ["requested", "provisioning", "loading", "serving", "draining", "deleting"]
    assert sorted(set(phases), key=order.index) == list(dict.fromkeys(phases))
    assert set(phases) == set(order)
    assert not memory.read().workers


def test_an_answer_that_is_lost_does_not_stop_the_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: object) -> None:
        raise LostError

    with monkeypatch.context() as context:
        context.setattr(world.compute, "listed", lose)
        with pytest.raises(CloudError):
            world.cloud.inventory(world.now)
    assert world.cloud.inventory(world.now).instances == ()
