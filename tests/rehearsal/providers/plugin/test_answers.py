"""A plugin's answers in the terms of the seams, and the types of its schema."""

from __future__ import annotations

import json

import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.providers.plugin.answers import difference, with_secrets_of
from rehearsal.providers.plugin.schema import PluginSchema
from rehearsal.providers.plugin.settling import made_up, settled
from rehearsal.providers.seams import ChangeKind, Difference, PropertyChange
from rehearsal.providers.servicer import _diff_response
from rehearsal.providers.values import UNKNOWN, Secret, Value
from rehearsal.tables.shapes import Kind, Shape
from tests.rehearsal.providers.plugin.acme_plugin import DATABASE, SCHEMA

ANSWER = provider_pb2.DiffResponse
DIFF = provider_pb2.PropertyDiff


def changes(answer: provider_pb2.DiffResponse) -> list[tuple[str, str, bool]]:
    found = difference(answer, {"a": 1, "b": Secret(2)}, {"a": 1, "b": Secret(3), "c": 4}).changes
    return [(change.path, change.kind.value, change.replaces) for change in found]


def test_no_change_is_none_whatever_else_is_said() -> None:
    assert changes(ANSWER(changes=ANSWER.DIFF_NONE, diffs=["a"])) == []


def test_each_path_comes_with_its_kind() -> None:
    detailed = {"a.b[0]": DIFF(kind=DIFF.ADD), "c": DIFF(kind=DIFF.DELETE_REPLACE), "d": DIFF(kind=DIFF.UPDATE)}
    answer = ANSWER(changes=ANSWER.DIFF_SOME, detailedDiff=detailed, replaces=["c"], diffs=["a", "c", "d"])
    assert changes(answer) == [("a.b[0]", "add", False), ("c", "delete", True), ("d", "update", False)]


def test_what_is_listed_as_replacing_and_not_detailed_so_replaces() -> None:
    answer = ANSWER(changes=ANSWER.DIFF_SOME, detailedDiff={"a.b": DIFF(kind=DIFF.UPDATE)}, replaces=["a", "z"])
    assert changes(answer) == [("a.b", "update", True), ("z", "update", True)]


def test_an_older_answer_names_properties_only() -> None:
    assert changes(ANSWER(changes=ANSWER.DIFF_SOME, diffs=["a"])) == [("a", "update", False)]


def test_what_a_plugin_does_not_compare_is_compared_as_the_engine_does() -> None:
    assert changes(ANSWER()) == [("b", "update", False), ("c", "update", False)]


def test_a_change_without_a_place_stays_a_change_for_the_engine() -> None:
    found = difference(ANSWER(changes=ANSWER.DIFF_SOME, deleteBeforeReplace=True), {}, {})
    assert found == Difference([PropertyChange("", ChangeKind.UPDATE, replaces=False)], delete_before_replace=True)
    answer = _diff_response(found)
    assert (answer.changes, list(answer.diffs), answer.hasDetailedDiff) == (ANSWER.DIFF_SOME, [], False)


def test_what_was_secret_under_the_same_name_is_so_again() -> None:
    given = {"a": Secret("x"), "b": {"c": Secret("y"), "d": "z"}, "e": ["f", Secret("g")], "gone": Secret("h")}
    answer = {"a": "x", "b": {"c": "y", "d": "z"}, "e": ["f", "g"], "new": 1}
    marked = with_secrets_of(answer, given)
    assert marked == {"a": Secret("x"), "b": {"c": Secret("y"), "d": "z"}, "e": Secret(["f", "g"]), "new": 1}


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"type": "string"}, ""),
        ({"type": "boolean"}, False),
        ({"type": "integer"}, 0),
        ({"type": "number"}, 0),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {}),
        ({"$ref": "#/types/acme:index/State:State"}, "STARTING"),
        ({"$ref": "#/types/acme:index/Flag:Flag"}, None),
        ({"$ref": "pulumi.json#/Asset"}, None),
        ({"$ref": "pulumi.json#/Json"}, "{}"),
        ({"$ref": "pulumi.json#/Any"}, ""),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"$ref": "#/types/acme:index%2FState:State"}, "STARTING"),
    ],
)
def test_a_made_up_value_is_of_the_type_that_the_schema_names(row: dict[str, object], value: Value) -> None:
    made = made_up(PluginSchema(json.dumps(SCHEMA)).typed(row))
    assert made == value
    assert isinstance(made, type(value))


def test_unknowns_are_filled_at_every_depth_or_left_to_a_cloud_that_knows_the_same_type() -> None:
    typed = PluginSchema(json.dumps(SCHEMA)).outputs(DATABASE)
    flags = [{"name": "max", "checked": UNKNOWN}]
    planned = {
        "endpoint": UNKNOWN,
        "encrypted": UNKNOWN,
        "backup": UNKNOWN,
        "replication": Secret(UNKNOWN),
        "token": Secret(UNKNOWN),
        "labels": {"a": UNKNOWN},
        "addresses": ["192.0.2.1", UNKNOWN],
        "settings": {"flags": flags, "fast": UNKNOWN},
        "nobody": UNKNOWN,
    }
    shapes = {"endpoint": Shape(Kind.STRING), "encrypted": Shape(Kind.STRING)}
    assert settled(planned, typed, shapes) == {
        "endpoint": UNKNOWN,
        "encrypted": False,
        "token": Secret(""),
        "labels": {"a": ""},
        "addresses": ["192.0.2.1", ""],
        "settings": {"flags": [{"name": "max", "checked": False}], "fast": False},
        "nobody": "",
    }


def test_the_prose_of_a_schema_is_not_kept_and_properties_so_called_are() -> None:
    schema = PluginSchema(json.dumps(SCHEMA))
    settings = schema.outputs(DATABASE)["settings"].fields
    assert settings["collation"].kind is Kind.STRING
    flag = settings["flags"].element
    assert flag is not None
    assert flag.fields["description"].kind is Kind.STRING
    assert "Of texts." not in str(vars(schema))
