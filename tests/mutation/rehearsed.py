"""The stages as the attached providers make them, in this process: the tables judge, the fake cloud makes.

The program runs once a stage. A mutant is then judged as a rehearsal would: the inputs are checked, the change is
compared with what stands, and what must not happen (a refusal, the loss of something stateful, a second preview that
finds something to do) is told in words.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import resource_pb2

from components.b2_providers import ApplicationKeyProvider, BucketProvider
from dreamseed.catalog.stateful import is_stateful
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import RefusedError, Subject
from rehearsal.providers.values import Secret, Values, like, revealed
from rehearsal.providers.wire import decode, encode
from tests.mutation.mutant import Mutant
from tests.program import Cloud, Recorder, Registered, configuration, run

JUDGE = TableJudge()
SEED = bytes(32)
DYNAMIC = {
    "pulumi-python:dynamic/b2:Bucket": BucketProvider,
    "pulumi-python:dynamic/b2:ApplicationKey": ApplicationKeyProvider,
}
TOLD_APART = ("result", "clientSecret", "application_key", "privateKey")
"""Outputs that are secrets: made as the recorder of the tests makes them, so that its rules know them again."""


@dataclass(frozen=True)
class Made:
    """A resource as it stands after the first `up`."""

    subject: Subject
    id: str
    inputs: Values
    outputs: Values


class Providers(Recorder):
    """A monitor that answers every registration as the attached providers would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Cloud())
        self.cloud = FakeCloud(folder)
        self.made: dict[str, Made] = {}
        self._configs: dict[str, Values] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Check, make and answer; a refusal is an error of the program's run."""
        if not request.custom or request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)
        urn = self.make_urn(request.parent, request.type, request.name)
        self.requests[urn] = request
        inputs = decode(request.object)
        if request.type.startswith("pulumi:providers:"):
            self._configs[urn] = inputs
            return self._answer(urn, request.name, inputs)
        subject = Subject(request.type, urn, request.name, self._configs.get(request.provider.rpartition("::")[0], {}))
        made = self._made(subject, inputs)
        self.made[urn] = made
        return self._answer(urn, made.id, made.outputs)

    def _made(self, subject: Subject, inputs: Values) -> Made:
        told = self.mocks.new_resource(_arguments(subject, revealed(inputs)))[1]
        if subject.token in DYNAMIC:
            secret = {key: Secret(told[key]) for key in TOLD_APART if key in told}
            return Made(subject, f"{subject.name}-id", inputs, inputs | secret)
        checked = JUDGE.check(subject, inputs, {}, SEED)
        if checked.failures:
            raise RefusedError(f"{subject.urn}: {checked.failures[0]}")
        found = self.cloud.create(subject, checked.inputs, JUDGE.plan_create(subject, checked.inputs))
        known = {key: like(value, told[key]) for key, value in found.outputs.items() if key in TOLD_APART}
        return Made(subject, found.id, checked.inputs, found.outputs | known)

    @staticmethod
    def _answer(urn: str, object_id: str, outputs: Values) -> Any:
        return resource_pb2.RegisterResourceResponse(urn=urn, id=object_id, object=encode(outputs))


def in_tests(made: Made) -> Mapping[str, Any]:
    """Return by which texts the recorder of the tests refers to the resource."""
    object_id, told = Cloud().new_resource(_arguments(made.subject, revealed(made.inputs)))
    return {**told, "id": object_id}


def _arguments(subject: Subject, inputs: Any) -> Any:
    from pulumi.runtime.mocks import MockResourceArgs

    return MockResourceArgs(typ=subject.token, name=subject.name, inputs=inputs)


@dataclass(frozen=True)
class Stage:
    """A stage that stands: what was registered, what was made of it, and the fake cloud's folder."""

    name: str
    resources: tuple[Registered, ...]
    made: Mapping[str, Made]
    folder: Path


def stand(name: str, folder: Path, document: Mapping[str, Any] | None = None) -> Stage:
    """Bring a stage up in this process, the fake cloud in `folder`; raises what the program or a provider says."""
    recorder = Providers(folder)
    try:
        resources = run(recorder, name, configuration(name, document))
    finally:
        recorder.cloud.close()
    return Stage(name, tuple(r for r in resources if r.custom), recorder.made, folder)


@cache
def shipped(name: str) -> Stage:
    """Return the shipped stage `name`, brought up once."""
    return stand(name, Path(tempfile.mkdtemp(prefix=f"dreamseed-mutation-{name}-")))


def caught(stage: Stage, mutant: Mutant) -> str | None:
    """Return what a rehearsal of the changed program says against it, in the state of the stage that stands."""
    before = next((r for r in stage.resources if mutant.is_of(r.type, r.name)), None)
    if before is None:
        return None
    after, made = mutant.into(before), stage.made.get(before.urn)
    if made is None:  # a provider: only its configuration is judged
        checked = JUDGE.check_config(after.type.rpartition(":")[2], dict(after.inputs))
        return f"refused: {checked.failures[0]}" if checked.failures else None
    if mutant.lost or after.urn != before.urn:
        if before.protect:
            return "a protected resource would be deleted"
        return None if mutant.lost else _made_beside(stage, after, made)
    if after.inputs == before.inputs:
        return None
    wanted = wire(after)
    if made.subject.token in DYNAMIC:
        return _dynamic(before, made, wanted)
    checked = JUDGE.check(made.subject, wanted, made.inputs, SEED)
    if checked.failures:
        return f"refused: {checked.failures[0].path} {checked.failures[0].reason}"
    found = JUDGE.diff(made.subject, made.inputs, made.outputs, checked.inputs, ())
    if any(change.replaces for change in found.changes):
        if before.protect or is_stateful(before.type, before.inputs):
            return f"a stateful resource would be replaced, for {found.changes[0].path}"
        first = before.delete_before_replace or found.delete_before_replace
        return _again(stage, made, checked.inputs, None if first else "beside")
    return _again(stage, made, checked.inputs, "update") if found.changes else None


def is_the_same(stage: Stage, mutant: Mutant) -> bool:
    """Tell whether the provider would plan the very same resource, and the engine has nothing else to do."""
    before = next(r for r in stage.resources if mutant.is_of(r.type, r.name))
    after = mutant.into(before)
    if not mutant.path or before.urn not in stage.made or after.type in DYNAMIC:
        return False
    try:
        planned = [JUDGE.plan_create(stage.made[before.urn].subject, wire(each)) for each in (before, after)]
    except (TypeError, ValueError, AttributeError):
        return False  # what no provider can read is not the same
    return planned[0] == planned[1]


def promoted(before: Stage, after: Stage) -> str | None:
    """Return what a rehearsal of the step from one state to another would tell."""
    wanted = {each.urn: each for each in after.resources}
    for urn, made in before.made.items():
        old = next(each for each in before.resources if each.urn == urn)
        stateful = old.protect or is_stateful(old.type, old.inputs)
        if urn not in wanted:
            if stateful:
                return f"a stateful resource would be deleted: {old.name}"
            continue
        if made.subject.token in DYNAMIC:
            answer = _dynamic(old, made, wire(wanted[urn]))
            if answer:
                return answer
            continue
        checked = JUDGE.check(made.subject, wire(wanted[urn]), made.inputs, SEED)
        found = JUDGE.diff(made.subject, made.inputs, made.outputs, checked.inputs, ())
        if stateful and any(change.replaces for change in found.changes):
            return f"a stateful resource would be replaced: {old.name}, for {found.changes[0].path}"
    return None


@contextmanager
def elsewhere(name: str) -> Iterator[Path]:
    """Give a folder for another fake cloud, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=f"dreamseed-mutant-{name}-") as folder:
        yield Path(folder)


def wire(resource: Registered) -> Values:
    """Return the inputs as they go over the wire, with the secrets marked."""
    sealed: Values = _sealed(resource.inputs, "", resource.secrets)
    return sealed


def _sealed(value: Any, path: str, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        value = {key: _sealed(item, f"{path}.{key}".lstrip("."), secrets) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_sealed(item, f"{path}[{index}]", secrets) for index, item in enumerate(value)]
    return Secret(value) if path and path in secrets else value


def _dynamic(before: Registered, made: Made, wanted: Values) -> str | None:
    provider = DYNAMIC[made.subject.token]()
    plain: Any = revealed(wanted)
    try:
        failures = provider.check({}, plain).failures
    except TypeError as error:
        return f"refused: {error}"
    if failures:
        return f"refused: {failures[0].property} {failures[0].reason}"
    replaced = provider.diff(made.id, dict(before.inputs), plain).replaces
    if replaced and (before.protect or is_stateful(before.type, before.inputs)):
        return f"a stateful resource would be replaced, for {replaced[0]}"
    return None


def _made_beside(stage: Stage, after: Registered, made: Made) -> str | None:
    subject = Subject(made.subject.token, after.urn, after.name, made.subject.config)
    if subject.token in DYNAMIC:
        return None
    checked = JUDGE.check(subject, wire(after), {}, SEED)
    return _again(stage, Made(subject, made.id, made.inputs, made.outputs), checked.inputs, "beside")


def _again(stage: Stage, made: Made, inputs: Values, how: str | None) -> str | None:
    """Carry the change out on a copy of the fake cloud, look a second time, and return what is wrong then."""
    subject = made.subject
    with tempfile.TemporaryDirectory(prefix="dreamseed-mutant-", dir=stage.folder.parent) as copied:
        folder = Path(copied, "cloud")
        shutil.copytree(stage.folder, folder)
        cloud = FakeCloud(folder)
        try:
            if how == "update":
                outputs = cloud.update(subject, made.id, inputs, JUDGE.plan_update(subject, made.outputs, inputs))
            else:
                if how is None:
                    cloud.delete(subject, made.id)
                outputs = cloud.create(subject, inputs, JUDGE.plan_create(subject, inputs)).outputs
        except RefusedError as refused:
            return f"refused by the cloud: {refused}"
        finally:
            cloud.close()
    again = JUDGE.diff(subject, inputs, outputs, inputs, ())
    return f"a second preview would change {again.changes[0].path}" if again.changes else None
