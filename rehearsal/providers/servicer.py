"""The generic provider: the engine's calls on one side, a judge and a cloud on the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.providers.seams import (
    ChangeKind,
    Cloud,
    Difference,
    Failure,
    HalfMadeError,
    Judge,
    RefusedError,
    Subject,
)
from rehearsal.providers.values import Values
from rehearsal.providers.wire import decode, encode
from rehearsal.tables.facts import UnknownTypeError

# Above every version that a program can ask for.
VERSION = "99.0.0"
STATUS = {
    RefusedError.Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    RefusedError.Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    RefusedError.Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    RefusedError.Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    RefusedError.Kind.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    RefusedError.Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
KINDS = {
    (ChangeKind.ADD, False): provider_pb2.PropertyDiff.ADD,
    (ChangeKind.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (ChangeKind.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (ChangeKind.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (ChangeKind.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (ChangeKind.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
# Configurations of this many provider instances are remembered; an engine uses a handful at once.
REMEMBERED_CONFIGS = 4096

Result = TypeVar("Result")


def _answered(method: Callable[[Any, Any, grpc.ServicerContext], Result]) -> Callable[..., Result]:
    """A refusal becomes the gRPC status that the real provider would answer."""

    @wraps(method)
    def wrapper(self: Any, request: Any, context: grpc.ServicerContext) -> Result:
        try:
            return method(self, request, context)
        except RefusedError as refused:
            context.abort(STATUS[refused.kind], str(refused))
        except UnknownTypeError as unknown:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(unknown))
        raise AssertionError("abort raises")

    return wrapper


def _failures(failures: Iterable[Failure]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=failure.path, reason=failure.reason) for failure in failures]


class AttachedProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one package to any number of engines at once.

    Each provider instance of an engine has a connection of its own, so the peer tells whose configuration holds.
    """

    def __init__(self, package: str, judge: Judge, cloud: Cloud) -> None:
        self._package = package
        self._judge = judge
        self._cloud = cloud
        self._configs: dict[str, Values] = {}
        self._lock = threading.Lock()

    def _subject(self, request: Any, context: grpc.ServicerContext) -> Subject:
        token = request.type or request.urn.split("::")[2].rpartition("$")[2]
        name = request.name or request.urn.rpartition("::")[2]
        return Subject(token, request.urn, name, self._configs.get(context.peer(), {}), getattr(request, "id", ""))

    def handshake(self, _request: Any, _context: Any) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets stay wrapped; resources and outputs come as plain values."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def attach(self, _request: Any, _context: Any) -> empty_pb2.Empty:
        """Nothing is called back, so the engine's address is not kept."""
        return empty_pb2.Empty()

    def plugin_info(self, _request: Any, _context: Any) -> plugin_pb2.PluginInfo:
        """A version above all that are asked for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def schema(self, _request: Any, _context: Any) -> provider_pb2.GetSchemaResponse:
        """The least that the engine accepts: types are judged by the tables."""
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"{self._package}","version":"{VERSION}"}}')

    @_answered
    def check_config(self, request: Any, _context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """The provider's own configuration."""
        checked = self._judge.check_config(self._package, decode(request.news))
        return provider_pb2.CheckResponse(inputs=encode(checked.inputs), failures=_failures(checked.failures))

    def diff_config(self, request: Any, _context: Any) -> provider_pb2.DiffResponse:
        """Other credentials or another host never replace the resources behind a provider."""
        changed = decode(request.old_inputs) != decode(request.news)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if changed else none)

    def configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        """Remember the configuration of this connection."""
        with self._lock:
            while len(self._configs) >= REMEMBERED_CONFIGS:
                del self._configs[next(iter(self._configs))]
            self._configs[context.peer()] = decode(request.args)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_answered
    def check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """The inputs of a resource."""
        subject = self._subject(request, context)
        checked = self._judge.check(subject, decode(request.news), decode(request.olds), request.randomSeed)
        return provider_pb2.CheckResponse(inputs=encode(checked.inputs), failures=_failures(checked.failures))

    @_answered
    def diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """What changes, each at its property path."""
        subject = self._subject(request, context)
        difference = self._judge.diff(
            subject, decode(request.old_inputs), decode(request.olds), decode(request.news), list(request.ignoreChanges)
        )
        return _diff_response(difference)

    @_answered
    def create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """A preview answers what is planned, a real create what the cloud made of it."""
        subject, inputs = self._subject(request, context), decode(request.properties)
        planned = self._judge.plan_create(subject, inputs)
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(planned))
        try:
            found = self._cloud.create(subject, inputs, planned)
        except HalfMadeError as half_made:
            _abort_half_made(context, half_made, inputs)
            raise
        return provider_pb2.CreateResponse(id=found.id, properties=encode(found.outputs))

    @_answered
    def update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """As create, for what stays the same resource."""
        subject, inputs = self._subject(request, context), decode(request.news)
        planned = self._judge.plan_update(subject, decode(request.olds), inputs, decode(request.old_inputs))
        if request.preview:
            return provider_pb2.UpdateResponse(properties=encode(planned))
        return provider_pb2.UpdateResponse(properties=encode(self._cloud.update(subject, request.id, inputs, planned)))

    @_answered
    def read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """The resource as it is now; an empty id says that it is gone."""
        subject = self._subject(request, context)
        found = self._cloud.read(subject, request.id, decode(request.inputs), decode(request.properties))
        if found is None:
            return provider_pb2.ReadResponse(id="")
        outputs = self._judge.seal(subject, found.outputs)
        inputs = self._judge.seal(subject, found.inputs)
        return provider_pb2.ReadResponse(id=found.id, properties=encode(outputs), inputs=encode(inputs))

    @_answered
    def delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The provider's guards first, then the cloud's."""
        subject = self._subject(request, context)
        state = decode(request.properties)
        if not self._judge.keeps_on_delete(subject, state):
            self._cloud.delete(subject, request.id, state)
        return empty_pb2.Empty()

    @_answered
    def invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """A data source."""
        config = self._configs.get(context.peer(), {})
        response = provider_pb2.InvokeResponse()
        # The field's name is a Python keyword.
        getattr(response, "return").CopyFrom(encode(self._cloud.invoke(request.tok, decode(request.args), config)))
        return response

    def cancel(self, _request: Any, _context: Any) -> empty_pb2.Empty:
        """Nothing runs long enough to be cancelled."""
        return empty_pb2.Empty()

    # The engine's names for the methods above.
    Handshake: Any = handshake
    Attach: Any = attach
    GetPluginInfo: Any = plugin_info
    GetSchema: Any = schema
    CheckConfig: Any = check_config
    DiffConfig: Any = diff_config
    Configure: Any = configure
    Check: Any = check
    Diff: Any = diff
    Create: Any = create
    Update: Any = update
    Read: Any = read
    Delete: Any = delete
    Invoke: Any = invoke
    Cancel: Any = cancel


def _abort_half_made(context: grpc.ServicerContext, error: HalfMadeError, inputs: Values) -> None:
    """Answer as the bridge does: an error whose details hold the resource, so that the engine keeps it in its state."""
    details = provider_pb2.ErrorResourceInitFailed(
        id=error.found.id, properties=encode(error.found.outputs), inputs=encode(inputs), reasons=[str(error)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(details)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    some = provider_pb2.DiffResponse.DIFF_SOME if difference.changes else provider_pb2.DiffResponse.DIFF_NONE
    changes = [change for change in difference.changes if change.path]
    response = provider_pb2.DiffResponse(
        changes=some,
        replaces=[change.path for change in changes if change.replaces],
        diffs=[change.path for change in changes],
        deleteBeforeReplace=difference.delete_before_replace,
        hasDetailedDiff=bool(changes) or not difference.changes,
    )
    for change in changes:
        # As with the real bridge, the engine shows the old outputs against the new inputs at each path.
        response.detailedDiff[change.path].CopyFrom(provider_pb2.PropertyDiff(kind=KINDS[change.kind, change.replaces]))
    return response
