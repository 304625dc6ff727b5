"""The fake cloud behind a plugin's plan: what that leaves unknown becomes a value of the type that the plugin knows.

A plugin refuses a state with a value of another type at its next Diff, so where its schema and the tables differ, the
schema holds. What the tables know as well is left to the cloud, whose values are plausible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rehearsal.providers.plugin.schema import PluginSchema, Typed
from rehearsal.providers.seams import Cloud, Found, Subject
from rehearsal.providers.values import UNKNOWN, Secret, Value, Values
from rehearsal.tables.facts import UnknownTypeError
from rehearsal.tables.shapes import Kind, Shape, resource_shape

ID = "id"
# A computed block is absent, not empty; an asset that nobody gave is none.
MADE_UP: Mapping[Kind, Value] = {
    Kind.STRING: "",
    Kind.INTEGER: 0,
    Kind.NUMBER: 0,
    Kind.BOOLEAN: False,
    Kind.ARRAY: [],
    Kind.MAP: {},
    Kind.OBJECT: None,
    Kind.ASSET: None,
    Kind.ANY: "",
}


class SettledCloud:
    """A cloud that is given plans of a plugin; its other side is the cloud of the tables."""

    def __init__(self, cloud: Cloud, schema: Callable[[], PluginSchema]) -> None:
        self._cloud = cloud
        self._schema = schema

    def create(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """As the cloud; a planned `id` is the object's."""
        found = self._cloud.create(subject, inputs, self._settled(subject, planned))
        return replace(found, outputs=_with_id(found.outputs, planned, found.id))

    def read(self, subject: Subject, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """As the cloud, with an `id` among the outputs where the state has one."""
        found = self._cloud.read(subject, resource_id, inputs, state)
        return found and replace(found, outputs=_with_id(found.outputs, state, found.id))

    def update(self, subject: Subject, resource_id: str, inputs: Values, planned: Values) -> Values:
        """As the cloud, with the `id` that a plan has."""
        outputs = self._cloud.update(subject, resource_id, inputs, self._settled(subject, planned))
        return _with_id(outputs, planned, resource_id)

    def delete(self, subject: Subject, resource_id: str, state: Values) -> None:
        """As the cloud."""
        self._cloud.delete(subject, resource_id, state)

    def list(self, token: str = "") -> Sequence[Found]:
        """As the cloud."""
        return self._cloud.list(token)

    def invoke(self, function: str, arguments: Values, config: Values) -> Values:
        """As the cloud."""
        return self._cloud.invoke(function, arguments, config)

    def _settled(self, subject: Subject, planned: Values) -> Values:
        typed = self._schema().outputs(subject.token)
        return settled({key: value for key, value in planned.items() if key != ID}, typed, _shapes(subject.token))


def settled(planned: Values, typed: Mapping[str, Typed], shapes: Mapping[str, Shape]) -> Values:
    """The plan, with a value for each unknown that is not left to the cloud."""
    values = {key: _settled(value, typed.get(key), shapes.get(key)) for key, value in planned.items()}
    return {key: value for key, value in values.items() if value is not None}


def _settled(value: Value, typed: Typed | None, shape: Shape | None) -> Value:
    if isinstance(value, Secret):
        inner = _settled(value.value, typed, shape)
        return None if inner is None else Secret(inner)
    if value is UNKNOWN:
        left = shape is not None and (typed is None or typed.kind is shape.kind)
        return UNKNOWN if left else made_up(typed)
    element, inner_shape = typed.element if typed else None, shape.element if shape else None
    if isinstance(value, list):
        return [_settled(item, element, inner_shape) for item in value]
    if isinstance(value, dict):
        if typed is None or typed.kind is not Kind.OBJECT:
            return {key: _settled(item, element, inner_shape) for key, item in value.items()}
        return settled(value, typed.fields, shape.fields if shape else {})
    return value


def made_up(typed: Typed | None) -> Value:
    """A value of the type; of an enumeration its first."""
    if typed is None:
        return ""
    return MADE_UP[typed.kind] if typed.first is None else typed.first


def _shapes(token: str) -> Mapping[str, Shape]:
    try:
        shape = resource_shape(token)
    except UnknownTypeError:
        return {}
    return {**shape.inputs, **shape.outputs}


def _with_id(outputs: Values, planned: Values, resource_id: str) -> Values:
    return outputs | {ID: resource_id} if ID in planned else outputs
