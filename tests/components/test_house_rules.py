"""One test holds every component to the house rules; a component that nobody declares fails too."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import typing

import pulumi
import pytest

import components
from components.base import Component
from dreamseed.catalog.stateful import is_stateful
from dreamseed.config import STAGE_NAMES
from tests.program import Registered, record

ROOT_ONLY = ("pulumi:providers:",)


def _component_classes() -> list[type[Component]]:
    found = []
    for module in pkgutil.iter_modules(components.__path__):
        loaded = importlib.import_module(f"components.{module.name}")
        for _, cls in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(cls, Component) and cls is not Component and cls.__module__ == loaded.__name__:
                found.append(cls)
    return found


CLASSES = _component_classes()


def test_the_project_has_the_components_of_the_plan() -> None:
    names = {cls.__name__ for cls in CLASSES}
    assert names >= {"VllmFleet", "PostgresCluster", "RedisCache", "KafkaCluster", "ApiService", "EdgeZone"}
    assert names >= {"ObjectStore", "DisasterRecovery", "PrivateNetwork", "Observability", "GpuBurst"}
    assert names >= {"CostGuard", "Delivery", "Servers"}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_component_is_built_like_every_other(cls: type[Component]) -> None:
    assert re.fullmatch(rf"dreamseed:[a-z]+:{cls.__name__}", cls.token), f"{cls.token} does not name its class"
    assert cls.__doc__ is not None
    assert len(cls.__doc__.split()) >= 15, "the docstring says what it declares and what it does not"
    arguments = getattr(importlib.import_module(cls.__module__), f"{cls.__name__}Args")
    assert dataclasses.is_dataclass(arguments)
    assert vars(arguments)["__dataclass_params__"].frozen, f"{cls.__name__}Args is not frozen"
    assert all(field.kw_only for field in dataclasses.fields(arguments)), f"{cls.__name__}Args is not keyword-only"
    signature = inspect.signature(cls.__init__)
    assert list(signature.parameters) == ["self", "name", "args", "opts"]
    hints = typing.get_type_hints(cls.__init__)
    assert hints["args"] is arguments
    assert hints["opts"] == pulumi.ResourceOptions | None


def _recorded() -> list[tuple[str, Registered]]:
    return [(stage, resource) for stage in STAGE_NAMES for resource in record(stage)]


def test_every_component_is_declared_in_some_stage_and_registers_its_outputs() -> None:
    declared = {resource.type for _, resource in _recorded() if not resource.custom}
    assert declared == {cls.token for cls in CLASSES}
    unfinished = {
        resource.urn for _, resource in _recorded() if not resource.custom and not resource.outputs_registered
    }
    assert not unfinished


def test_every_resource_belongs_to_a_component() -> None:
    orphans = [resource.urn for _, resource in _recorded() if resource.custom and "dreamseed:" not in resource.parent]
    assert not orphans


def test_everything_stateful_is_protected_and_nothing_else_is() -> None:
    resources = [resource for _, resource in _recorded() if resource.custom]
    stateful = {resource.urn for resource in resources if is_stateful(resource.type, resource.inputs)}
    protected = {resource.urn for resource in resources if resource.protect}
    assert stateful, "no stateful resource was recorded: the rule was not tried"
    assert protected == stateful


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_stateful_input_names_the_stage(stage: str) -> None:
    # What a promotion changes must not reach an identity: a stage's letter in a name would replace it.
    for resource in record(stage):
        assert not re.search(r"stage-[a-e]", str(resource.inputs.get("name", ""))), resource.urn
