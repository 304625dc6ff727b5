"""Property paths: generic ones as the tables write them (`a[].b`, `a.*`), concrete ones as the engine shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from rehearsal.providers.values import UNKNOWN, Secret, Value, plain

PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*")


@cache
def segments(generic: str) -> tuple[str, ...]:
    """`a[].b.*` as `("a", "[]", "b", "*")`."""
    return tuple(part for part in generic.replace("[]", ".[]").split(".") if part)


def joined(parts: tuple[str, ...]) -> str:
    """The inverse of `segments`."""
    return ".".join(parts).replace(".[]", "[]")


def at_key(concrete: str, key: str) -> str:
    """The concrete path of a property or map key below `concrete` (the root is the empty path)."""
    if not PLAIN_KEY.fullmatch(key):
        return f'{concrete}["{key}"]'
    return f"{concrete}.{key}" if concrete else key


def common_parent(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The innermost block that holds all the paths, as segments; empty for the root."""
    split = [segments(path) for path in paths]
    parent = split[0][:-1]
    for other in split[1:]:
        while other[: len(parent)] != parent or len(parent) == len(other):
            parent = parent[:-1]
    return parent


def find(value: Value, parts: tuple[str, ...], concrete: str = "") -> Iterator[tuple[str, Value]]:
    """Every value at a generic path, with its concrete path.

    An unknown on the way is yielded in its place; a value that is or lies in a secret comes wrapped as one.
    """
    if isinstance(value, Secret):
        for at, inner in find(value.value, parts, concrete):
            yield at, inner if inner is UNKNOWN else Secret(plain(inner))
        return
    if value is None:
        return
    if not parts or value is UNKNOWN:
        yield concrete, value
        return
    head, rest = parts[0], parts[1:]
    if head == "[]":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from find(item, rest, f"{concrete}[{index}]")
    elif isinstance(value, dict):
        for key in value if head == "*" else (head,):
            if key in value:
                yield from find(value[key], rest, at_key(concrete, key))
