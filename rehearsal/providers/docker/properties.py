"""Properties both ways: a declared value into Docker's API, and what Docker shows back into the declared form.

A read starts from what the engine last knew and changes only what differs, so an untouched object reads back exactly as
it was declared: its order, its defaults, its secrets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.providers.values import UNKNOWN, Secret, Value, Values, plain, revealed

Api = dict[str, Any]


def unchanged(value: Any) -> Any:
    """The value itself."""
    return value


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a type.

    `write` puts a declared value into the body of a create call, `read` takes it out of an inspect answer, `normal` is
    the form in which two values (or two elements, of a list that is `unordered`) are compared. A value that nobody
    declared is looked at only when `seen_undeclared`.
    """

    name: str
    write: Callable[[Api, Any], None]
    read: Callable[[Api], Any]
    normal: Callable[[Any], Any] = unchanged
    unordered: bool = False
    seen_undeclared: bool = True

    def key(self, value: Any) -> str:
        """The comparable form of a value; one form for everything that means unset."""
        if is_unset(value):
            return ""
        if self.unordered and isinstance(value, list):
            return json.dumps(sorted(json.dumps(self.normal(item), sort_keys=True) for item in value))
        return json.dumps(self.normal(value), sort_keys=True)

    def arranged(self, seen: Any, known: Any) -> Any:
        """What is seen, with those elements that are known in their known form and order."""
        if not (self.unordered and isinstance(seen, list) and isinstance(known, list)):
            return seen
        left = {json.dumps(self.normal(item), sort_keys=True): item for item in seen}
        kept = [item for item in known if left.pop(json.dumps(self.normal(item), sort_keys=True), None) is not None]
        return [*kept, *left.values()]


def at(
    name: str, *place: str, to: Callable[[Any], Any] = unchanged, back: Callable[[Any], Any] = unchanged
) -> Property:
    """A property that stands at one place, the same in create and inspect."""
    return Property(
        name=name, write=lambda body, value: put(body, place, to(value)), read=lambda i: _get(i, place, back)
    )


def put(body: Api, place: Sequence[str], value: Any) -> None:
    """Put a value at a place, making the objects on the way."""
    for key in place[:-1]:
        body = body.setdefault(key, {})
    body[place[-1]] = value


def _get(inspect: Any, place: Sequence[str], back: Callable[[Any], Any]) -> Any:
    for key in place:
        inspect = (inspect or {}).get(key)
    return None if is_unset(inspect) else back(inspect)


def is_unset(value: Any) -> bool:
    """Whether the value means that nothing is set: a zero and nothing are the same to the bridged provider."""
    return value is None or value in ("", 0, False) or value == [] or value == {}


def without_secrets(values: Values) -> Values:
    """The values without any secret wrapper, for Docker."""
    return {key: revealed(value) for key, value in values.items()}


def has_secret(value: Value) -> bool:
    """Whether the value is, or holds, a secret."""
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return isinstance(value, Secret)


def labels_to_map(labels: Iterable[Values]) -> dict[str, str]:
    """`[{label, value}]` as Docker's map."""
    return {item["label"]: item["value"] for item in labels}


def labels_from_map(labels: dict[str, str] | None) -> list[Values]:
    """Docker's map as `[{label, value}]`, in order of name."""
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def labels_at(*place: str) -> Property:
    """The `labels` of a type, at their place."""
    return Property(
        name="labels",
        write=lambda body, value: put(body, place, labels_to_map(value)),
        read=lambda inspect: _get(inspect, place, labels_from_map),
        unordered=True,
    )


def body_of(properties: Iterable[Property], inputs: Values) -> Api:
    """The body of a create call; `inputs` without secret wrappers."""
    body: Api = {}
    for prop in properties:
        if not is_unset(inputs.get(prop.name)):
            prop.write(body, inputs[prop.name])
    return body


def observed(properties: Iterable[Property], inspect: Api) -> Values:
    """Everything that an inspect answer says of the properties, unset ones left out."""
    found = {prop.name: prop.read(inspect) for prop in properties}
    return {name: value for name, value in found.items() if not is_unset(value)}


def differing(properties: Iterable[Property], inputs: Values, inspect: Api) -> list[str]:
    """Names of the declared properties (and of labels, declared or not) that the object has otherwise."""
    declared = without_secrets(inputs)
    return [
        prop.name
        for prop in properties
        if (prop.name == "labels" or not is_unset(declared.get(prop.name)))
        and prop.key(declared.get(prop.name)) != prop.key(prop.read(inspect))
    ]


def patched(properties: Iterable[Property], inspect: Api, inputs: Values, state: Values) -> tuple[Values, Values]:
    """Inputs and outputs as last known, with every observed difference; only inputs that were declared change."""
    new_inputs, new_outputs = dict(inputs), dict(state)
    for prop in properties:
        seen = prop.read(inspect)
        for values, added in ((new_inputs, False), (new_outputs, prop.seen_undeclared)):
            known: Any = revealed(values.get(prop.name))
            if prop.key(known) == prop.key(seen) or (is_unset(known) and not (added or prop.name in values)):
                continue
            was = values.get(prop.name)
            if is_unset(seen):
                values.pop(prop.name, None)
            else:
                value = prop.arranged(seen, known)
                values[prop.name] = Secret(value) if has_secret(was) else value
    return new_inputs, new_outputs


def filled(planned: Values, found: Values) -> Values:
    """The plan, with what was unknown taken from what the cloud shows; what it does not show is left out."""
    outputs = {key: found.get(key) if plain(value) is UNKNOWN else value for key, value in planned.items()}
    return {key: value for key, value in outputs.items() if value is not None}
