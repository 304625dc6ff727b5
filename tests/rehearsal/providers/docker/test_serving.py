"""The provider process with Docker hosts, over the wire; no Docker Engine is needed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import grpc
import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from rehearsal.providers.host import ProviderHost
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import Cloud
from rehearsal.providers.servicer import AttachedProvider
from rehearsal.providers.wire import decode, encode
from tests.rehearsal.providers.docker.fake_docker import HOST, IMAGE_ID, World, ends_with
from tests.rehearsal.providers.given import CONTAINER, NETWORK, VPC


def created(
    stub: provider_pb2_grpc.ResourceProviderStub, token: str, **inputs: str | int
) -> provider_pb2.CreateResponse:
    urn = f"urn:pulumi:dev::proj::{token}::thing"
    request = provider_pb2.CreateRequest(urn=urn, properties=encode(inputs))
    return cast(provider_pb2.CreateResponse, stub.Create(request))


def configured(channel: grpc.Channel, **config: str) -> provider_pb2_grpc.ResourceProviderStub:
    stub = provider_pb2_grpc.ResourceProviderStub(channel)
    stub.Configure(provider_pb2.ConfigureRequest(args=encode(config)))
    return stub


def test_docker_is_served_from_the_hosts_of_the_file_and_the_other_packages_as_before(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.json"
    hosts.write_text("{}", encoding="utf-8")
    with ProviderHost(tmp_path / "state", docker_hosts=hosts) as host:
        ports = host.announcement.providers
        with grpc.insecure_channel(f"127.0.0.1:{ports['docker']}") as channel:
            stub = configured(channel, host=HOST)
            with pytest.raises(grpc.RpcError, match=f"no Docker Engine is known for the host '{HOST}'"):
                created(stub, NETWORK, name="data")
        with grpc.insecure_channel(f"127.0.0.1:{ports['gcp']}") as channel:
            assert created(configured(channel, project="p"), VPC, name="vpc").id


@pytest.fixture
def served() -> Iterator[tuple[World, grpc.Channel]]:
    """A servicer over an engine in memory."""
    world, server = World(), grpc.server(ThreadPoolExecutor(2))
    servicer = AttachedProvider("docker", TableJudge(), cast(Cloud, world.cloud))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield world, channel
    server.stop(None).wait()


def test_a_half_made_container_reaches_the_engine_with_its_id_its_outputs_and_the_reason(
    served: tuple[World, grpc.Channel],
) -> None:
    world, channel = served
    world.docker.on_start = ends_with(3)
    with pytest.raises(grpc.RpcError) as refused:
        created(configured(channel, host=HOST), CONTAINER, name="box", image=IMAGE_ID)
    error = cast(grpc.Call, refused.value)
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    status = status_pb2.Status.FromString(packed)
    details = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(details)
    assert details.id in world.docker.containers_by_id
    assert decode(details.inputs) == {"name": "box", "image": IMAGE_ID}
    assert decode(details.properties)["exitCode"] == 3
    assert "exit code 3" in details.reasons[0]


def test_a_delete_reaches_the_cloud_with_the_state_that_says_how(served: tuple[World, grpc.Channel]) -> None:
    world, channel = served
    stub = configured(channel, host=HOST)
    made = created(stub, CONTAINER, name="box", image=IMAGE_ID, destroyGraceSeconds=9)
    urn = f"urn:pulumi:dev::proj::{CONTAINER}::thing"
    stub.Delete(provider_pb2.DeleteRequest(id=made.id, urn=urn, properties=made.properties))
    assert world.docker.stopped_with == [9]
