"""A provider that says yes to everything and keeps nothing, in a process of its own: what the engine costs by itself.

Values pass through it as they came, never decoded. `python -m bench.nothing PACKAGE` prints its port and serves.
"""

from __future__ import annotations

import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.providers.servicer import VERSION
from rehearsal.providers.serving import LOOPBACK, THREADS


class Nothing(provider_pb2_grpc.ResourceProviderServicer):
    """What a preview from nothing asks of a provider."""

    def __init__(self, package: str) -> None:
        self._package = package

    def handshake(self, _request: Any, _context: Any) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets stay wrapped."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def empty(self, _request: Any, _context: Any) -> empty_pb2.Empty:
        """Nothing to do."""
        return empty_pb2.Empty()

    def info(self, _request: Any, _context: Any) -> plugin_pb2.PluginInfo:
        """A version above all that are asked for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def schema(self, _request: Any, _context: Any) -> provider_pb2.GetSchemaResponse:
        """The least that the engine accepts."""
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "{self._package}", "version": "{VERSION}"}}')

    def check(self, request: Any, _context: Any) -> provider_pb2.CheckResponse:
        """Inputs, and configuration, pass as they are."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def diff(self, _request: Any, _context: Any) -> provider_pb2.DiffResponse:
        """Nothing differs."""
        return provider_pb2.DiffResponse()

    def configure(self, _request: Any, _context: Any) -> provider_pb2.ConfigureResponse:
        """Previews are answered here, not by the engine."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def create(self, request: Any, _context: Any) -> provider_pb2.CreateResponse:
        """Outputs are the inputs."""
        made = "" if request.preview else uuid.uuid4().hex
        return provider_pb2.CreateResponse(id=made, properties=request.properties)

    # The engine's names for the methods above.
    Handshake: Any = handshake
    Attach: Any = empty
    Cancel: Any = empty
    GetPluginInfo: Any = info
    GetSchema: Any = schema
    CheckConfig: Any = check
    DiffConfig: Any = diff
    Configure: Any = configure
    Check: Any = check
    Create: Any = create


def main() -> None:
    """Serve the package named until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(THREADS))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Nothing(sys.argv[1]), server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
