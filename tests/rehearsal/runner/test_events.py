from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.runner.events import EventLog
from rehearsal.runner.resources import Action, Resource, Traits, by_default

STACK = "urn:pulumi:ladder::sample::pulumi:pulumi:Stack::sample-ladder"
STORE = "urn:pulumi:ladder::sample::sample:index:Store::store"
INNER = "urn:pulumi:ladder::sample::sample:index:Store$sample:index:Inner::inner"
VOLUME = "urn:pulumi:ladder::sample::sample:index:Store$docker:index/volume:Volume::data"
PROVIDER = "urn:pulumi:ladder::sample::pulumi:providers:docker::server-1"


def state(urn: str, parent: str | None = STACK, **more: Any) -> dict[str, Any]:
    resource_type = urn.split("::")[2].rsplit("$", 1)[-1]
    custom = "Store" not in resource_type and "Stack" not in resource_type and "Inner" not in resource_type
    return {"urn": urn, "type": resource_type, "custom": custom, "parent": parent, "inputs": {}, **more}


def step(operation: str, urn: str, diffs: list[str] | None = None, **more: Any) -> str:
    side = "old" if operation.startswith(("delete", "discard")) else "new"
    metadata = {"op": operation, "urn": urn, "diffs": diffs, "keys": None, side: state(urn, **more)}
    return json.dumps({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}})


def read(*lines: str) -> EventLog:
    log = EventLog()
    log.feed(lines)
    return log


def around(*lines: str) -> EventLog:
    return read(step("same", STACK, parent=None), step("same", STORE), step("same", PROVIDER), *lines)


@pytest.mark.parametrize(
    ("operations", "action"),
    [
        (["create"], Action.CREATE),
        (["update"], Action.UPDATE),
        (["delete"], Action.DELETE),
        (["create-replacement", "replace", "delete-replaced"], Action.REPLACE),
        (["delete-replaced", "replace", "create-replacement"], Action.REPLACE),
        (["import"], Action.CREATE),
    ],
)
def test_each_resource_is_counted_once_with_the_strongest_thing_that_happened_to_it(
    operations: list[str], action: Action
) -> None:
    log = around(*(step(operation, VOLUME, parent=STORE) for operation in operations))
    assert [(change.resource.urn, change.action) for change in log.changes()] == [(VOLUME, action)]


@pytest.mark.parametrize("operation", ["same", "read", "refresh"])
def test_what_only_looks_is_no_change(operation: str) -> None:
    log = around(step(operation, VOLUME, parent=STORE))
    assert log.all_changes() == []
    assert [resource.urn for resource in log.resources()] == [VOLUME]


def test_stack_providers_and_components_are_not_counted_as_resources() -> None:
    log = around(step("create", VOLUME, parent=STORE), step("create", INNER, parent=STORE))
    assert [resource.name for resource in log.resources()] == ["data"]
    assert log.component_count() == 2


def test_a_component_or_provider_that_changes_still_counts_as_something_to_do() -> None:
    log = read(step("same", STACK, parent=None), step("update", PROVIDER, ["host"]))
    assert log.changes() == []
    assert [(c.action, c.properties) for c in log.all_changes()] == [(Action.UPDATE, ("host",))]


def test_what_is_deleted_is_not_among_the_resources_afterwards() -> None:
    assert around(step("delete", VOLUME, parent=STORE)).resources() == []


def test_a_resource_knows_the_components_around_it_outermost_first() -> None:
    log = around(step("same", INNER, parent=STORE), step("create", VOLUME, parent=INNER))
    (resource,) = log.resources()
    assert resource.parents == ("store", "inner")
    assert by_default(resource) == Traits("store", stateful=False)


@pytest.mark.parametrize("side", ["old", "new"])
def test_protection_before_or_after_a_step_makes_a_resource_stateful(side: str) -> None:
    metadata: dict[str, Any] = {"op": "replace", "urn": VOLUME, "old": state(VOLUME), "new": state(VOLUME)}
    metadata[side]["protect"] = True
    log = read(json.dumps({"resourcePreEvent": {"metadata": metadata}}))
    (change,) = log.changes()
    assert by_default(change.resource).stateful


def test_a_resource_outside_components_counts_for_the_top_level() -> None:
    traits = by_default(Resource(VOLUME, "docker:index/volume:Volume", (), {}, protected=False))
    assert traits.component == "(top level)"


def test_an_error_names_its_resource_and_loses_its_colours() -> None:
    diagnostic = {"severity": "error", "urn": VOLUME, "message": "<{%reset%}>no driver 'x'\x1b[31m\n<{%reset%}>"}
    log = read(json.dumps({"diagnosticEvent": diagnostic}))
    assert log.errors == ["data: no driver 'x'"]


def test_warnings_and_notes_are_no_errors() -> None:
    notes = [json.dumps({"diagnosticEvent": {"severity": s, "message": "x"}}) for s in ("info", "debug", "warning")]
    assert read(*notes).errors == []


def test_resources_are_counted_as_they_are_reached() -> None:
    log = around()
    assert log.registered == 3
    log.feed([step("create", VOLUME, parent=STORE), step("same", STORE)])
    assert log.registered == 4


def test_what_a_run_has_begun_to_change_is_counted_while_it_runs() -> None:
    log = around()
    assert log.changing == 0
    log.feed([step("update", VOLUME, parent=STORE), step("create", INNER, parent=STORE)])
    assert log.changing == 2


@pytest.mark.parametrize(("outcome", "action"), [("update", Action.UPDATE), ("delete", Action.DELETE), ("same", None)])
def test_what_a_refresh_found_is_said_by_the_event_after_it(outcome: str, action: Action | None) -> None:
    outputs = {"resOutputsEvent": {"metadata": {"op": outcome, "urn": VOLUME}}}
    log = around(step("refresh", VOLUME), json.dumps(outputs))
    assert {change.resource.urn: change.action for change in log.changes()} == ({VOLUME: action} if action else {})


def test_the_outcome_of_anything_but_a_refresh_says_nothing_new() -> None:
    outputs = {"resOutputsEvent": {"metadata": {"op": "update", "urn": VOLUME}}}
    assert around(step("same", VOLUME), json.dumps(outputs)).changes() == []
