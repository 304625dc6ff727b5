"""Property values to and from the engine's wire form (a protobuf Struct).

Source of the signatures: pulumi 3.272 `pulumi/runtime/rpc.py`, 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from rehearsal.providers.values import UNKNOWN, Opaque, Secret, Value, Values

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the wire's marker of a secret, not one
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
# Above this a double no longer holds every integer.
LARGEST_EXACT_INTEGER = 2**53


def decode(struct: struct_pb2.Struct) -> Values:
    """A wire struct as values; null properties are left out, as they mean the same as absent ones."""
    return {key: _value(item) for key, item in struct.fields.items() if item.WhichOneof("kind") != "null_value"}


def _value(item: struct_pb2.Value) -> Value:
    kind = item.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if item.string_value == UNKNOWN_TEXT else item.string_value
    if kind == "number_value":
        number = item.number_value
        return int(number) if number.is_integer() and abs(number) <= LARGEST_EXACT_INTEGER else number
    if kind == "bool_value":
        return item.bool_value
    if kind == "list_value":
        return [_value(element) for element in item.list_value.values]
    if kind == "struct_value":
        fields = item.struct_value.fields
        return _signed(fields) if SIGNATURE in fields else decode(item.struct_value)
    return None


def _signed(fields: Mapping[str, struct_pb2.Value]) -> Value:
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        return Secret(_value(fields["value"]))
    if signature == OUTPUT:
        inner = _value(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(inner) if "secret" in fields and fields["secret"].bool_value else inner
    return Opaque(signature, {key: _value(item) for key, item in fields.items() if key != SIGNATURE})


def encode(values: Mapping[str, Value]) -> struct_pb2.Struct:
    """Values as a wire struct; properties that are None are left out."""
    struct = struct_pb2.Struct()
    _fill(struct, values)
    return struct


def _fill(struct: struct_pb2.Struct, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        if value is not None:
            _set(struct.fields[key], value)


def _set(item: struct_pb2.Value, value: Value) -> None:
    if value is None:
        item.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        item.string_value = UNKNOWN_TEXT
    elif isinstance(value, bool):
        item.bool_value = value
    elif isinstance(value, int | float):
        item.number_value = value
    elif isinstance(value, str):
        item.string_value = value
    elif isinstance(value, list):
        item.list_value.SetInParent()
        for element in value:
            _set(item.list_value.values.add(), element)
    else:
        item.struct_value.SetInParent()
        _fill(item.struct_value, _struct_of(value))


def _struct_of(value: Any) -> Mapping[str, Value]:
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": value.value}
    if isinstance(value, Opaque):
        return {SIGNATURE: value.signature, **value.fields}
    if isinstance(value, dict):
        return value
    raise TypeError(f"{type(value).__name__} is no property value")
