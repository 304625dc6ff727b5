"""First part of Check: names, types and required properties, at every depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from rehearsal.providers.paths import at_key
from rehearsal.providers.seams import Failure
from rehearsal.providers.values import UNKNOWN, Opaque, Value, plain
from rehearsal.tables.shapes import Kind, Shape

# What the bridge itself adds to inputs; never the program's.
INTERNAL_KEYS = frozenset({"__defaults", "__meta"})
WORDS = {
    Kind.STRING: "a text",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.ARRAY: "a list",
    Kind.MAP: "a map with text keys",
    Kind.OBJECT: "an object",
    Kind.ASSET: "an asset or archive",
    Kind.ANY: "any value",
}


def _is_kind(value: Value, kind: Kind) -> bool:
    match kind:
        case Kind.ANY:
            return True
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.ARRAY:
            return isinstance(value, list)
        case Kind.ASSET:
            return isinstance(value, Opaque)
        case Kind.MAP | Kind.OBJECT:
            return isinstance(value, dict)


def _described(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text '{value}'"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "an asset"


def _remedy(value: Value, shape: Shape) -> str:
    if shape.kind is Kind.STRING and isinstance(value, bool | int | float):
        return "write it in quotes"
    if shape.kind in {Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN} and isinstance(value, str):
        return "write it without quotes" if value.strip() else "leave it out or give a value"
    if shape.kind is Kind.ARRAY:
        return "put it in a list"
    return f"write {WORDS[shape.kind]}"


def check_structure(value: Value, shape: Shape, concrete: str, *, secret: bool = False) -> Iterator[Failure]:
    """What is misnamed, mistyped or missing in one property; unknown values are taken as right.

    A value that is or lies in a secret is never quoted in a reason.
    """
    secret = secret or plain(value) is not value
    value = plain(value)
    if value is None or value is UNKNOWN:
        return
    if not _is_kind(value, shape.kind):
        shown = "a secret of another type" if secret else _described(value)
        yield Failure(concrete, f"must be {WORDS[shape.kind]}, not {shown}: {_remedy(value, shape)}")
    elif isinstance(value, list) and shape.element is not None:
        for index, item in enumerate(value):
            yield from check_structure(item, shape.element, f"{concrete}[{index}]", secret=secret)
    elif isinstance(value, dict) and shape.kind is Kind.MAP and shape.element is not None:
        for key, item in value.items():
            yield from check_structure(item, shape.element, at_key(concrete, key), secret=secret)
    elif isinstance(value, dict) and shape.kind is Kind.OBJECT:
        yield from check_fields(value, shape.fields, concrete, secret=secret)


def check_fields(
    values: Mapping[str, Value], fields: Mapping[str, Shape], concrete: str = "", *, secret: bool = False
) -> Iterator[Failure]:
    """What is misnamed, mistyped or missing in an object (the whole resource when `concrete` is empty)."""
    for key, value in values.items():
        if key in INTERNAL_KEYS:
            continue
        if key in fields:
            yield from check_structure(value, fields[key], at_key(concrete, key), secret=secret)
        else:
            close = get_close_matches(key, fields, n=1)
            remedy = f"did you mean '{close[0]}'?" if close else f"it takes {', '.join(sorted(fields)) or 'nothing'}"
            yield Failure(at_key(concrete, key), f"there is no property '{key}' here: {remedy}")
    for key, shape in fields.items():
        if shape.required and values.get(key) is None:
            yield Failure(at_key(concrete, key), f"is required and missing: add it, {WORDS[shape.kind]}")
