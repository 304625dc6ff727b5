"""Pulumi's own dynamic provider (`pulumi-python`), served attached: dynamic resources run the program's real code.

Pulumi's servicer keeps configuration and deserialized providers for its whole process, as each engine starts one of its
own. Here several engines share the process, so each connection gets a servicer from a module of its own.
"""

from __future__ import annotations

import ast
import importlib.util
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from rehearsal.providers.faults import Faults, Operation, ReportedGoneError
from rehearsal.providers.seams import RefusedError, Subject

MODULE = "pulumi.dynamic.__main__"
# Engines that are connected at once; the oldest is forgotten beyond that.
REMEMBERED_ENGINES = 64


def _is_main_call(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    return isinstance(node.value.func, ast.Name) and node.value.func.id == "main"


def load_servicer_module() -> ModuleType:
    """A fresh copy of Pulumi's dynamic provider, without the call of `main` that ends the file and serves for ever."""
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None or spec.loader is None:
        raise ImportError(f"{MODULE} is not installed")
    module = importlib.util.module_from_spec(spec)
    source = spec.loader.get_source(MODULE)  # type: ignore[attr-defined] # every file loader has it, the protocol does not
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not _is_main_call(node)]
    exec(compile(tree, spec.origin, "exec"), module.__dict__)  # noqa: S102 - Pulumi's own installed module
    return module


def _forwarding(name: str) -> Callable[[DynamicProviders, Any, grpc.ServicerContext], Any]:
    """A method that the connection's own servicer answers."""

    def forward(self: DynamicProviders, request: Any, context: grpc.ServicerContext) -> Any:
        return getattr(self.servicer(context), name)(request, context)

    return forward


def _acting(name: str) -> Callable[[DynamicProviders, Any, grpc.ServicerContext], Any]:
    """As `_forwarding`, for what reaches a cloud: faults come before it."""
    forward = _forwarding(name)

    def act(self: DynamicProviders, request: Any, context: grpc.ServicerContext) -> Any:
        if self.faults is None:
            return forward(self, request, context)
        token, name_of = request.urn.split("::")[2].rpartition("$")[2], request.urn.rpartition("::")[2]
        try:
            return self.faults.around(
                Operation(name.lower()), Subject(token, request.urn, name_of), lambda: forward(self, request, context)
            )
        except RefusedError as refused:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(refused))
        except ReportedGoneError:
            return provider_pb2.ReadResponse(id="")

    return act


class DynamicProviders(provider_pb2_grpc.ResourceProviderServicer):
    """One of Pulumi's servicers for each connected engine."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults
        self._servicers: dict[str, Any] = {}
        self._lock = threading.Lock()

    def servicer(self, context: grpc.ServicerContext) -> Any:
        """The connection's own servicer, made when it is first seen."""
        peer = context.peer()
        with self._lock:
            if peer not in self._servicers:
                while len(self._servicers) >= REMEMBERED_ENGINES:
                    del self._servicers[next(iter(self._servicers))]
                self._servicers[peer] = load_servicer_module().DynamicResourceProviderServicer()
            return self._servicers[peer]

    def configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A configured connection starts afresh."""
        with self._lock:
            self._servicers.pop(context.peer(), None)
        return self.servicer(context).Configure(request, context)

    def attach(self, _request: Any, _context: Any) -> empty_pb2.Empty:
        """Pulumi's servicer has no Attach of its own."""
        return empty_pb2.Empty()

    def handshake(self, _request: Any, context: grpc.ServicerContext) -> None:
        """Refused, as Pulumi's own servicer does: the engine then creates and updates nothing in a preview."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the dynamic provider has no Handshake")

    def schema(self, _request: Any, _context: Any) -> provider_pb2.GetSchemaResponse:
        """Dynamic resources have no schema."""
        return provider_pb2.GetSchemaResponse(schema='{"name":"pulumi-python","version":"0.1.0"}')

    def check_config(self, request: Any, _context: Any) -> provider_pb2.CheckResponse:
        """Configuration passes as it is."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def diff_config(self, _request: Any, _context: Any) -> provider_pb2.DiffResponse:
        """Other configuration never replaces the resources behind the provider."""
        return provider_pb2.DiffResponse()

    # The engine's names for the methods above, and Pulumi's own for the rest.
    Handshake: Any = handshake
    Attach: Any = attach
    GetSchema: Any = schema
    CheckConfig: Any = check_config
    DiffConfig: Any = diff_config
    Configure: Any = configure
    GetPluginInfo: Any = _forwarding("GetPluginInfo")
    Check: Any = _forwarding("Check")
    Diff: Any = _forwarding("Diff")
    Create: Any = _acting("Create")
    Update: Any = _acting("Update")
    Read: Any = _acting("Read")
    Delete: Any = _acting("Delete")
    Cancel: Any = _forwarding("Cancel")
