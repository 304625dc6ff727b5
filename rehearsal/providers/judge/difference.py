"""Diff: what a program changes in a resource, and which of it makes the provider replace the resource.

Works on planned outputs against the outputs in state, as the bridge does. Source of the semantics: the tables' `_meta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.providers.judge.conditions import CONDITIONS, Change, is_no_change
from rehearsal.providers.judge.suppress import is_suppressed
from rehearsal.providers.paths import at_key
from rehearsal.providers.seams import ChangeKind, PropertyChange
from rehearsal.providers.values import UNKNOWN, Value, Values
from rehearsal.tables.facts import TypeFacts, facts_for, lifecycle_for, meta_of
from rehearsal.tables.shapes import Kind, Shape, resource_shape

# Providers of the older upstream kind, for which a zero value and an unset one are the same.
ZERO_IS_UNSET = frozenset({"docker", "gcp", "grafana"})


def zero_is_unset(package: str) -> bool:
    """Whether the package's provider is of the older upstream kind; a table of one's own says so in its `_meta`."""
    return package in ZERO_IS_UNSET or bool(meta_of(package).get("zero_is_unset"))


def _same(old: Value, new: Value) -> bool:
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


class Comparison:
    """One comparison of a resource's state with what is planned; both without secret wrappers."""

    def __init__(self, token: str, state: Values, planned: Values) -> None:
        self.token = token
        self.facts: TypeFacts = facts_for(token)
        self.sets = frozenset(lifecycle_for(token).sets)
        self.replace = frozenset(self.facts.replace)
        self.state = state
        self.planned = planned
        self.zero_is_unset = zero_is_unset(token.partition(":")[0])

    def changes(self) -> list[PropertyChange]:
        """Every change of an input, topmost path first."""
        fields = {k: s for k, s in resource_shape(self.token).inputs.items() if k not in self.facts.write_only}
        return list(self._fields(self.state, self.planned, fields, "", ""))

    def _fields(
        self, old: Values, new: Values, fields: Mapping[str, Shape], path: str, concrete: str
    ) -> Iterator[PropertyChange]:
        for key, shape in fields.items():
            generic = f"{path}.{key}" if path else key
            change = Change(old.get(key), new.get(key), old, new, self.state, self.planned)
            yield from self._property(change, shape, generic, at_key(concrete, key))

    def _property(self, change: Change, shape: Shape, path: str, concrete: str) -> Iterator[PropertyChange]:
        old, new = change.old, change.new
        if _same(old, new) or (self._unset(old) and self._unset(new)):
            return
        if is_suppressed(self.facts.diff_suppress.get(path), old, new) or is_no_change(self.token, path, change):
            return
        if isinstance(old, dict) and isinstance(new, dict) and shape.kind is Kind.OBJECT:
            yield from self._fields(old, new, shape.fields, path, concrete)
        elif isinstance(old, dict) and isinstance(new, dict) and shape.element is not None:
            for key in sorted(old | new):
                item = Change(old.get(key), new.get(key), old, new, self.state, self.planned)
                yield from self._property(item, shape.element, f"{path}.*", at_key(concrete, key))
        elif isinstance(old, list) and isinstance(new, list) and shape.element is not None:
            yield from self._list(change, shape.element, path, concrete)
        else:
            yield self._leaf(change, shape, path, concrete)

    def _list(self, change: Change, element: Shape, path: str, concrete: str) -> Iterator[PropertyChange]:
        old: list[Any] = change.old if isinstance(change.old, list) else []
        new: list[Any] = change.new if isinstance(change.new, list) else []
        if path in self.sets and (UNKNOWN not in new):
            old, new = sorted(old, key=_order), sorted(new, key=_order)
            kept = [item for item in old if item in new]
            old = kept + [item for item in old if item not in kept]
            new = kept + [item for item in new if item not in kept]
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            item = Change(before, after, _dict(before), _dict(after), self.state, self.planned)
            if _same(before, after):
                continue
            if before is None or after is None:
                replaces = self._replaces(change, path) or self._any_replaces(item, element, f"{path}[]")
                kind = ChangeKind.ADD if before is None else ChangeKind.DELETE
                yield PropertyChange(f"{concrete}[{index}]", kind, replaces)
            else:
                yield from self._property(item, element, f"{path}[]", f"{concrete}[{index}]")

    def _leaf(self, change: Change, shape: Shape, path: str, concrete: str) -> PropertyChange:
        gone, came = self._unset(change.new), self._unset(change.old)
        kind = ChangeKind.DELETE if gone else ChangeKind.ADD if came else ChangeKind.UPDATE
        return PropertyChange(concrete, kind, self._any_replaces(change, shape, path))

    def _any_replaces(self, change: Change, shape: Shape, path: str) -> bool:
        """Whether the path, or anything set below it on either side, replaces."""
        if self._replaces(change, path):
            return True
        if change.new is UNKNOWN and shape.kind in {Kind.OBJECT, Kind.ARRAY, Kind.MAP}:
            # What an unknown block will hold cannot be told: the safe side is that a flagged child changes.
            return any(flagged.startswith((f"{path}.", f"{path}[]")) for flagged in self.replace)
        for value in (change.old, change.new):
            if isinstance(value, dict):
                for key, item in value.items():
                    inner = shape.fields.get(key) if shape.kind is Kind.OBJECT else shape.element
                    child = f"{path}.{key}" if shape.kind is Kind.OBJECT else f"{path}.*"
                    if inner is not None and self._child_replaces(item, value is change.new, inner, child, change):
                        return True
            elif isinstance(value, list) and shape.element is not None:
                for item in value:
                    if self._child_replaces(item, value is change.new, shape.element, f"{path}[]", change):
                        return True
        return False

    def _child_replaces(self, item: Value, is_new: bool, shape: Shape, path: str, around: Change) -> bool:
        if self._unset(item):
            return False
        old, new = (None, item) if is_new else (item, None)
        below = Change(old, new, _dict(around.old), _dict(around.new), self.state, self.planned)
        return self._any_replaces(below, shape, path)

    def _replaces(self, change: Change, path: str) -> bool:
        flagged = path if path in self.replace else path.removesuffix("[]").removesuffix(".*")
        if flagged not in self.replace:
            return False
        condition = CONDITIONS.get((self.token, flagged))
        return condition is None or condition(change)

    def _unset(self, value: Value) -> bool:
        if value is None or value == [] or value == {}:
            return True
        return self.zero_is_unset and not isinstance(value, list | dict) and value in ("", 0, False)


def _dict(value: Value) -> Values:
    return value if isinstance(value, dict) else {}


def _order(item: Value) -> str:
    return json.dumps(item, sort_keys=True, default=repr)
