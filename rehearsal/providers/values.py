"""Property values as the engine knows them: JSON, and what JSON cannot say (unknown, secret, asset)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias


class Unknown(Enum):
    """A value that nobody can know before the resource exists."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that must never be shown or kept in plain; its repr hides it."""

    value: Value

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True)
class Opaque:
    """A wire object with a signature of its own (asset, archive, resource reference), passed on as it came."""

    signature: str
    fields: Mapping[str, Any]


# An Any at the leaves keeps the recursion writable; every reader narrows with isinstance.
Value: TypeAlias = "bool | int | float | str | list[Any] | dict[str, Any] | Unknown | Secret | Opaque | None"
Values: TypeAlias = "dict[str, Any]"


def plain(value: Value) -> Value:
    """The value without its own secret wrapper (nested ones stay)."""
    while isinstance(value, Secret):
        value = value.value
    return value


def revealed(value: Value) -> Value:
    """The value without any secret wrapper at any depth, for comparisons and checks in memory."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return value


def has_unknown(value: Value) -> bool:
    """Whether anything in the value is unknown."""
    value = plain(value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def like(original: Value, value: Value) -> Value:
    """The value, wrapped as a secret when the original was one."""
    return Secret(value) if isinstance(original, Secret) and not isinstance(value, Secret) else value
