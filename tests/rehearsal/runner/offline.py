"""A provider for the runner's own tests: accepts everything, keeps nothing, and misbehaves on demand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


@dataclass
class Behaviour:
    """What the provider does beyond waving everything through."""

    replaces: frozenset[str] = frozenset()  # a change of these inputs replaces
    refuses: frozenset[str] = frozenset()  # these inputs are refused
    never_content: frozenset[str] = frozenset()  # resources with these inputs differ at every preview
    guards: frozenset[str] = frozenset()  # resources with these inputs cannot be deleted


class Offline(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider."""

    def __init__(self, package: str, behaviour: Behaviour) -> None:
        self.package = package
        self.behaviour = behaviour

    def Handshake(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    def Attach(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return plugin_pb2.PluginInfo(version="99.0.0")

    def GetSchema(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "{self.package}", "version": "99.0.0"}}')

    def CheckConfig(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.DiffResponse()

    def Configure(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Check(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        refused = self.behaviour.refuses & set(request.news.fields)
        failures = [provider_pb2.CheckFailure(property=name, reason="is refused here") for name in sorted(refused)]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        old, new = (json_format.MessageToDict(side) for side in (request.old_inputs, request.news))
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        changed |= self.behaviour.never_content & new.keys()
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = sorted(changed & self.behaviour.replaces)
        return provider_pb2.DiffResponse(changes=kind, diffs=sorted(changed), replaces=replaces)

    def Create(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        made = "" if request.preview else uuid.uuid4().hex
        return provider_pb2.CreateResponse(id=made, properties=request.properties)

    def Read(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        if self.behaviour.guards & set(request.properties.fields):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "deletion protection is on")
        return empty_pb2.Empty()

    def Cancel(self, request, context):  # type: ignore[no-untyped-def] # noqa: N802 - gRPC's name
        return empty_pb2.Empty()


@contextmanager
def offline_providers(behaviour: Behaviour, *packages: str) -> Iterator[dict[str, str]]:
    """Serve the packages on loopback ports; the value is the engine's environment for them."""
    servers: list[grpc.Server] = []
    addresses: list[str] = []
    for package in packages:
        server = grpc.server(futures.ThreadPoolExecutor(8))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Offline(package, behaviour), server)
        addresses.append(f"{package}:{server.add_insecure_port('127.0.0.1:0')}")
        server.start()
        servers.append(server)
    try:
        yield {"PULUMI_DEBUG_PROVIDERS": ",".join(addresses)}
    finally:
        for server in servers:
            server.stop(grace=None).wait()
