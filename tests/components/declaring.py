"""One component declared against mocks, and all that it asked the engine to register."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.settings import reset_options

from components.base import Component
from dreamseed.config import StageConfig, load_stage
from tests.program import PROJECT, Recorder, unwrapped


@dataclass(frozen=True)
class Resource:
    """One registration: `inputs` with secrets unwrapped, and the paths where they stood."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    secret_paths: tuple[str, ...]
    protect: bool
    dependencies: tuple[str, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """The component's resources and its public outputs, resolved."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def all(self, kind: str) -> list[Resource]:
        """Return the resources whose type ends with `kind`, by name; at least one, so no loop over them is empty."""
        found = [resource for resource in self.resources if resource.type.rsplit(":", 1)[-1] == kind]
        found.sort(key=lambda resource: resource.name)
        assert found, f"no {kind} among {sorted({resource.type for resource in self.resources})}"
        return found

    def one(self, kind: str) -> Resource:
        """Return the only resource whose type ends with `kind`."""
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} of {kind}: {[resource.name for resource in found]}"
        return found[0]

    def has(self, kind: str) -> bool:
        """Return whether there is any such resource."""
        return any(resource.type.rsplit(":", 1)[-1] == kind for resource in self.resources)


class Cloud(Mocks):
    """Answers with the inputs and with what only a cloud knows."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made = {
            "result": f"generated-{args.name}-0123456789012345678901234567890123456789",
            "hex": "0a1b2c3d",
            "email": f"{args.name}@p.iam.gserviceaccount.com",
            "member": f"serviceAccount:{args.name}@p.iam.gserviceaccount.com",
            "version": "7",
            "privateKey": base64.b64encode(b'{"type": "service_account", "private_key": "made-up"}').decode(),
            "clientId": "token-id",
            "clientSecret": "token-secret",
            "address": "198.51.100.7",
            "privateIpAddress": "10.40.16.3",
            "selfLink": f"https://compute/{args.name}",
            "nameServers": ["a.ns", "b.ns"],
            "vpnInterfaces": [{"id": 0, "ipAddress": "198.51.100.1"}, {"id": 1, "ipAddress": "198.51.100.2"}],
            "dnsResourceRecords": [{"name": "_acme.x.", "type": "CNAME", "data": "y.goog."}],
            "application_key": f"secret-of-{args.name}",
        }
        state = {"name": args.name, **{key: value for key, value in made.items() if key not in args.inputs}}
        return f"{args.name}-id", state | args.inputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {**args.args, "token": "connector-token", "number": "123456789012"}, []


def declare(build: Callable[[], Component]) -> Declared:
    """Run `build` as the official idiom does and return what it registered; a component without outputs fails."""
    recorder = Recorder(Cloud())
    set_mocks(Cloud(), project="dreamseed", stack="test", preview=False, monitor=recorder)
    resolved: dict[str, Any] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK gives it no types
    def run() -> pulumi.Output[None]:
        component = build()
        public = {name: value for name, value in vars(component).items() if not name.startswith("_")}
        plain = {name: value for name, value in public.items() if _is_data(value)}
        return pulumi.Output.all(**plain).apply(resolved.update)

    try:
        run()
    finally:
        # The root stack is a global of the SDK: the next program would be its child.
        reset_options()
    assert resolved, "the component's outputs were not resolved: nothing was tested"
    assert recorder.outputs, "the component did not register its outputs"
    custom = [request for request in recorder.requests.values() if request.custom]
    return Declared(tuple(_resource(request) for request in custom), resolved)


def _is_data(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_data(item) for item in value.values())
    return isinstance(value, pulumi.Output | str | int | type(None))


def _resource(request: Any) -> Resource:
    secrets: list[str] = []
    inputs = unwrapped(rpc.deserialize_properties(request.object), "", secrets)
    return Resource(
        type=request.type,
        name=request.name,
        inputs=inputs,
        secret_paths=tuple(secrets),
        protect=request.protect,
        dependencies=tuple(request.dependencies),
        ignored=tuple(request.ignoreChanges),
    )


@cache
def stage(letter: str) -> StageConfig:
    """Return a shipped stage."""
    return load_stage(PROJECT / f"Pulumi.stage-{letter}.yaml")


def changed(config: StageConfig, section: str, **values: Any) -> StageConfig:
    """Return `config` with some values of a section changed, validated anew."""
    data = config.model_dump(mode="json")
    data[section] |= values
    return StageConfig.model_validate(data)
