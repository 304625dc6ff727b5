"""What a resource's outputs will be: inputs, constant defaults, what state keeps, and unknown for the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from rehearsal.providers.judge.labels import planned_labels
from rehearsal.providers.judge.structure import INTERNAL_KEYS
from rehearsal.providers.paths import joined, segments
from rehearsal.providers.values import UNKNOWN, Secret, Value, Values, like, plain, revealed
from rehearsal.tables.facts import facts_for, lifecycle_for
from rehearsal.tables.shapes import Kind, Shape, resource_shape

# Provider settings that a gcp resource takes over when it is made, by the plan-time function that does so.
FROM_CONFIG = {
    "tpgresource.DefaultProviderProject": "project",
    "tpgresource.DefaultProviderRegion": "region",
    "tpgresource.DefaultProviderZone": "zone",
}


class Planner:
    """Plans one resource type; made once a type, by `planner_for`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.facts = facts_for(token)
        self.lifecycle = lifecycle_for(token)
        self.shape = resource_shape(token)

    @cached_property
    def _filled(self) -> Mapping[str, Mapping[str, Any]]:
        """By block: the properties filled in when left out, with their constant default or UNKNOWN for computed."""
        filled: dict[str, dict[str, Any]] = defaultdict(dict)
        constants = {p: v for p, v in self.facts.defaults.items() if not (isinstance(v, str) and v.startswith("<"))}
        for path, default in {**dict.fromkeys(self.facts.optional_computed, UNKNOWN), **constants}.items():
            *parent, last = segments(path)
            if last not in {"[]", "*"}:
                filled[joined(tuple(parent))][last] = default
        return filled

    def create(self, inputs: Values, config: Values) -> Values:
        """Outputs of a new resource."""
        planned = self._inputs(inputs, None)
        for function, key in FROM_CONFIG.items():
            if function in self.facts.customize_diff and planned.get(key) is UNKNOWN and config.get(key):
                planned[key] = config[key]
        if "deletionPolicy" in self.facts.defaults and "deletionPolicy" not in inputs and config.get("deletionPolicy"):
            planned["deletionPolicy"] = config["deletionPolicy"]
        planned |= dict.fromkeys(self.shape.outputs, UNKNOWN)
        return self._sealed(planned | planned_labels(self.facts, inputs, config))

    def update(self, state: Values, inputs: Values, config: Values) -> Values:
        """Outputs after an update: what the program says, else what the state keeps."""
        planned = self._inputs(inputs, state)
        if "deletionPolicy" in self.facts.defaults and "deletionPolicy" not in inputs and config.get("deletionPolicy"):
            planned["deletionPolicy"] = config["deletionPolicy"]
        planned |= {key: state[key] for key in self.shape.outputs if key in state}
        for output, triggers in self.lifecycle.recomputed.items():
            watched = triggers or tuple(self.shape.inputs)
            if any(revealed(planned.get(key)) != revealed(state.get(key)) for key in watched):
                planned[output] = UNKNOWN
        return self._sealed(planned | planned_labels(self.facts, inputs, config))

    def _inputs(self, inputs: Values, state: Values | None) -> Values:
        given = {key: value for key, value in inputs.items() if key not in INTERNAL_KEYS}
        return self._block(given, state, "", self.shape.inputs)

    def _block(self, given: Values, old: Value, path: str, fields: Mapping[str, Shape]) -> Values:
        before = old if isinstance(old, dict) else {}
        planned = {}
        for key, value in given.items():
            child = f"{path}.{key}" if path else key
            if value is not None and child not in self.facts.write_only:
                planned[key] = self._value(value, before.get(key), child, fields.get(key))
        for key, default in self._filled.get(path, {}).items():
            if key in planned or (fields and key not in fields):
                continue
            if default is not UNKNOWN:
                planned[key] = default
            elif not isinstance(old, dict):
                planned[key] = UNKNOWN
            elif before.get(key) is not None:
                planned[key] = before[key]
        return planned

    def _value(self, given: Value, old: Value, path: str, shape: Shape | None) -> Value:
        bare, before = plain(given), plain(old)
        if isinstance(bare, dict) and shape is not None and shape.kind is Kind.OBJECT:
            return like(given, self._block(bare, before, path, shape.fields))
        element = shape.element if shape is not None else None
        if isinstance(bare, dict) and element is not None and element.kind is Kind.OBJECT:
            olds = before if isinstance(before, dict) else {}
            items = {key: self._value(item, olds.get(key), f"{path}.*", element) for key, item in bare.items()}
            return like(given, items)
        if isinstance(bare, list) and element is not None and element.kind in {Kind.OBJECT, Kind.ARRAY}:
            earlier = before if isinstance(before, list) else []
            pairs = [(item, earlier[i] if i < len(earlier) else None) for i, item in enumerate(bare)]
            return like(given, [self._value(item, was, f"{path}[]", element) for item, was in pairs])
        return given

    def _sealed(self, values: Values) -> Values:
        return sealed(values, self.facts.secret)


def sealed(values: Values, secret_paths: tuple[str, ...]) -> Values:
    """The values with everything at the secret paths wrapped, whoever wrote it there."""
    for path in secret_paths:
        top, *rest = segments(path)
        if values.get(top) is not None:
            values = values | {top: _seal(values[top], tuple(rest))}
    return values


def _seal(value: Value, parts: tuple[str, ...]) -> Value:
    if isinstance(value, Secret):
        return value
    if not parts:
        return Secret(value)
    head, rest = parts[0], parts[1:]
    if head == "[]" and isinstance(value, list):
        return [_seal(item, rest) for item in value]
    if isinstance(value, dict):
        keys = list(value) if head == "*" else [head]
        return value | {key: _seal(value[key], rest) for key in keys if value.get(key) is not None}
    return value


@cache
def planner_for(token: str) -> Planner:
    """The planner of a type; raises `UnknownTypeError` for a type without a table."""
    return Planner(token)
