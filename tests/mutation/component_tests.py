"""The tests of the components, asked again about mutants: the same functions, over what they recorded the first time.

A test that fails on what a mutant would have registered has caught it. The program is not run again: what `declare` and
`record` gave each test is kept, and given again with the one resource changed.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs

from dreamseed.config import STAGE_NAMES
from tests.components import declaring
from tests.components.declaring import Declared, Resource
from tests.components.test_containers import CONTAINER
from tests.mutation.mutant import Mutant
from tests.program import PROJECT, Registered, record

FOLDERS = ("tests/components", "tests/test_ledger.py")
NOT_OVER_RESOURCES = ("test_b2.py", "test_light_sdk.py", "test_rules.py")
"""Tests of code that registers nothing."""
TRY_RULES = re.compile(
    r"test_(a_broken|a_file_with|a_container_that_would|what_is_declared_otherwise|a_renamed|a_stateful)"
)
"""Tests that try a rule on what they break themselves."""


@dataclass
class Taped:
    """A test with its arguments, and all that it was given about resources when it passed."""

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    module: Any
    declared: list[Declared] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def run(self) -> None:
        """Run the test; raises what it raises."""
        self.function(**self.arguments)


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Function] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if isinstance(item, pytest.Function)]


def _collected() -> list[Taped]:
    collector = _Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={PROJECT}"]
            + [str(PROJECT / folder) for folder in FOLDERS],
            plugins=[collector],
        )
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"the tests of the components cannot be collected: pytest ended with {code}")
    found = []
    for item in collector.items:
        given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        needs = set(item.fixturenames) - set(given)
        if not needs and item.path.name not in NOT_OVER_RESOURCES and not TRY_RULES.match(item.name):
            found.append(Taped(item.nodeid.removeprefix("tests/"), item.function, given, item.module))
    return found


@contextlib.contextmanager
def _given(declare: Any, recorded: Any, observed: Any) -> Iterator[None]:
    """Let every test module get its resources from these three instead of from the program."""
    held = []
    stands_for = {declaring.declare: declare, record: recorded}
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        if not name.startswith(("tests.components", "tests.test_ledger", "tests.ledger")):
            continue
        for attribute, value in list(vars(module).items()):
            with contextlib.suppress(TypeError):
                if value in stands_for and module is not declaring:
                    held.append((module, attribute, value))
                    setattr(module, attribute, stands_for[value])
        if name.endswith("test_observability"):
            held.append((module, "declared", module.declared))
            real = module.declared
            module.declared = lambda stage, real=real: observed(real, stage)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, attribute, value in reversed(held):
            setattr(module, attribute, value)


class ComponentTests:
    """Every test of the components, run once on the program as it is."""

    def __init__(self) -> None:
        self.tests = [test for test in _collected() if self._tape(test)]
        if len(self.tests) < 50:
            raise RuntimeError(f"only {len(self.tests)} tests of components are over resources: nothing would judge")

    @staticmethod
    def _tape(test: Taped) -> bool:
        """Run the test and keep what it was given; tell whether it looks at resources at all."""

        def declare(build: Any) -> Declared:
            made = declaring.declare(build)
            test.declared.append(made)
            test.seen.update((r.type, r.name) for r in made.resources)
            return made

        def recorded(stage: str) -> tuple[Registered, ...]:
            test.recorded.add(stage)
            return record(stage)

        def observed(real: Any, stage: str) -> Any:
            made = real(stage)
            test.seen.update((each.typ, each.name) for each in made[0])
            return made

        with _given(declare, recorded, observed):
            try:
                test.run()
            except AssertionError as error:
                raise RuntimeError(f"{test.name} fails on the program as it is: {error}") from error
        for value in test.arguments.values():
            if isinstance(value, Declared):
                test.seen.update((r.type, r.name) for r in value.resources)
        return bool(test.seen or test.recorded)

    def caught(self, mutant: Mutant) -> str | None:
        """Return the first test that fails on the mutant."""
        for test in self.tests:
            if "rule" in test.arguments:
                failed = _broken_rule(test, mutant)
                if failed:
                    return failed
            elif test.recorded or (mutant.type, mutant.name) in test.seen:
                failed = _failure(test, mutant)
                if failed:
                    return failed
        return None


def _broken_rule(test: Taped, mutant: Mutant) -> str | None:
    """Ask the rule of a test over every container about the one that is changed: it looks at no other."""
    if mutant.type != CONTAINER or mutant.lost:
        return None
    changed = (
        mutant.into(each) for stage in STAGE_NAMES for each in record(stage) if mutant.is_of(each.type, each.name)
    )
    return None if all(map(test.arguments["rule"], changed)) else f"{test.name}: AssertionError"


def _failure(test: Taped, mutant: Mutant) -> str | None:
    declared = iter(test.declared)
    arguments = {
        key: _changed(value, mutant) if isinstance(value, Declared) else value for key, value in test.arguments.items()
    }
    with _given(
        lambda _: _changed(next(declared), mutant),
        lambda stage: mutant.among(record(stage)),
        lambda real, stage: _observed(real(stage), mutant),
    ):
        try:
            test.function(**arguments)
        except Exception as error:  # noqa: BLE001 - whatever a test raises is how it fails
            return f"{test.name}: {type(error).__name__}"
    return None


def _changed(declared: Declared, mutant: Mutant) -> Declared:
    return replace(
        declared,
        resources=tuple(
            _otherwise(each, mutant) if mutant.is_of(each.type, each.name) else each
            for each in declared.resources
            if not (mutant.lost and mutant.is_of(each.type, each.name))
        ),
    )


def _otherwise(resource: Resource, mutant: Mutant) -> Resource:
    changed = mutant.inputs(resource.inputs)
    return replace(
        resource,
        name=mutant.renamed or resource.name,
        inputs=resource.inputs if changed is None else changed,
        secret_paths=() if mutant.unmarked else resource.secret_paths,
        protect=resource.protect and not mutant.unprotected,
        dependencies=tuple(
            urn for urn in resource.dependencies if _type_and_name(urn) != _type_and_name(mutant.without)
        ),
    )


def _type_and_name(urn: str) -> tuple[str, str]:
    """Return what tells a resource in a component that is declared alone: its own type, and its name."""
    kinds, _, name = urn.rpartition("::")
    return kinds.rpartition("$")[2], name


def _observed(made: tuple[tuple[MockResourceArgs, ...], Any], mutant: Mutant) -> Any:
    seen = []
    for each in made[0]:
        if not mutant.is_of(each.typ, each.name):
            seen.append(each)
            continue
        if mutant.lost:
            continue
        bare = {key: rpc.unwrap_rpc_secret(v) if rpc.is_rpc_secret(v) else v for key, v in each.inputs.items()}
        changed = mutant.inputs(bare) or bare
        kept = {
            key: rpc.wrap_rpc_secret(value)
            if rpc.is_rpc_secret(each.inputs.get(key)) and not mutant.unmarked
            else value
            for key, value in changed.items()
        }
        seen.append(MockResourceArgs(typ=each.typ, name=mutant.renamed or each.name, inputs=kept))
    return tuple(seen), made[1]
