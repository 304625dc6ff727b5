"""The real program run against mocks, and everything it asked the engine to register.

Every request is kept as it went to the engine: URN, inputs, protection, dependencies. That the program registered
nothing is an error here, so that no test over these resources can pass by having seen none.
"""

from __future__ import annotations

import base64
import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.settings import reset_options
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

from dreamseed.planning.secrets import CONFIGURED_SECRETS

PROJECT = Path(__file__).resolve().parent.parent
FLOOR = 40
"""Fewer registrations than any stage could have: below it the run tested nothing."""


@dataclass(frozen=True)
class Registered:
    """One resource as the program asked for it. `inputs` hold plain values, secrets unwrapped into `secrets`.

    `implied` are those of the `dependencies` that an input is made from; `provider` is the URN of an explicit provider.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...]
    protect: bool
    aliases: tuple[str, ...]
    dependencies: tuple[str, ...]
    implied: tuple[str, ...]
    provider: str
    delete_before_replace: bool
    outputs_registered: bool

    @property
    def component(self) -> str:
        """Return the name of the component that the resource belongs to, or its own name."""
        return self.parent.rsplit("::", 1)[-1] if "::" in self.parent else self.name


class Recorder(MockMonitor):
    """A monitor that keeps every registration."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.requests: dict[str, Any] = {}
        self.outputs: set[str] = set()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Keep the request and answer as the mocks say."""
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK types none of it
        if answer.urn in self.requests:
            raise AssertionError(f"two resources have the URN {answer.urn}")
        self.requests[answer.urn] = request
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Keep that a component declared its outputs."""
        self.outputs.add(request.urn)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # the SDK types none of it


class Cloud(Mocks):
    """Answers every resource with its inputs and plausible identities."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Return an id and the inputs, with the outputs that others are built from."""
        identity = f"{args.name}-id"
        made = {
            "imageId": f"sha256:{args.name}",
            "repoDigest": args.inputs.get("name"),
            "result": f"generated-{args.name}",
            "hex": "0a1b2c3d",
            "email": f"{args.inputs.get('accountId', args.name)}@project.iam.gserviceaccount.com",
            "member": f"serviceAccount:{args.inputs.get('accountId', args.name)}@project.iam.gserviceaccount.com",
            "version": "1",
            "policyId": f"{args.name}-policy",
            "uri": f"https://{args.name}.a.run.app",
            "selfLink": f"https://compute.example/{args.name}",
            "nameServers": ["a.ns.example", "b.ns.example"],
            "clientId": f"{args.name}.access",
            "clientSecret": f"secret-of-{args.name}",
            "application_key": f"key-of-{args.name}",
            "privateKey": base64.b64encode(f"private-key-of-{args.name}".encode()).decode(),
        }
        return identity, {
            **{k: v for k, v in made.items() if k not in args.inputs},
            **args.inputs,
            "name": args.inputs.get("name", args.name),
        }

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Return what the program's few invokes answer, and that nothing failed."""
        return {**args.args, "number": "123456789012", "token": "tunnel-token-value"}, []


@cache
def record(stage: str, program: Path = PROJECT / "__main__.py") -> tuple[Registered, ...]:
    """Run `program` with the shipped file of `stage` and return what it registered, in URN order."""
    return run(Recorder(Cloud()), stage, configuration(stage), program)


def run(
    recorder: Recorder, stage: str, settings: Mapping[str, str], program: Path = PROJECT / "__main__.py"
) -> tuple[Registered, ...]:
    """Run `program` as `stage` with `settings` against `recorder`; return what it registered, in URN order."""
    set_mocks(recorder.mocks, project="dreamseed", stack=stage, preview=False, monitor=recorder)
    pulumi.runtime.set_all_config(dict(settings), [f"dreamseed:{name}" for name in CONFIGURED_SECRETS])
    try:
        _sync_await(run_pulumi_func(lambda: _run(program)))
    finally:
        # The root stack is a global of the SDK: the next program would be its child.
        reset_options()
    resources = tuple(
        _registered(urn, request, recorder.outputs)
        for urn, request in sorted(recorder.requests.items())
        if request.type != "pulumi:pulumi:Stack"
    )
    if len(resources) < FLOOR:
        raise AssertionError(f"{stage}: only {len(resources)} resources were registered: the program did not run")
    return resources


def _run(program: Path) -> None:
    runpy.run_path(str(program))


def configuration(stage: str, document: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return what the engine tells the program of `stage`; `document` stands in for what its file says."""
    shared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]["dreamseed:shared"]["value"]
    own = yaml.safe_load((PROJECT / f"Pulumi.{stage}.yaml").read_text())["config"]["dreamseed:stage"]
    secrets = {f"dreamseed:{name}": f"configured-{name}" for name in CONFIGURED_SECRETS}
    if document is not None:
        shared, own = {}, document
    return {
        "dreamseed:shared": json.dumps(shared, default=str),
        "dreamseed:stage": json.dumps(own, default=str),
        **secrets,
    }


def _registered(urn: str, request: Any, outputs: set[str]) -> Registered:
    values = rpc.deserialize_properties(request.object, keep_unknowns=True)
    secrets: list[str] = []
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=request.custom,
        inputs=unwrapped(values, "", secrets),
        secrets=tuple(secrets),
        protect=request.protect,
        aliases=tuple(alias.urn or alias.spec.name for alias in request.aliases) + tuple(request.aliasURNs),
        dependencies=tuple(request.dependencies),
        implied=tuple(sorted({urn for of in request.propertyDependencies.values() for urn in of.urns})),
        provider=request.provider.rpartition("::")[0],
        delete_before_replace=request.deleteBeforeReplace,
        outputs_registered=urn in outputs,
    )


def unwrapped(value: Any, path: str, secrets: list[str]) -> Any:
    """Return `value` with secrets unwrapped, their paths noted in `secrets`."""
    if rpc.is_rpc_secret(value):
        secrets.append(path)
        return unwrapped(rpc.unwrap_rpc_secret(value), path, secrets)
    if isinstance(value, Mapping):
        return {key: unwrapped(item, f"{path}.{key}".lstrip("."), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [unwrapped(item, f"{path}[{index}]", secrets) for index, item in enumerate(value)]
    # The wire knows one kind of number only.
    return int(value) if isinstance(value, float) and value.is_integer() else value
