"""Changes that break a resource: made on its inputs as they go over the wire, so the engine can be given them too."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy.model import Resource

Inputs = dict[str, Any]
Change = Callable[[Inputs], None]
GONE = object()
"""Put where an input is to be left out."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """One way to break a rule: what is changed of the inputs, and whether the marks of secrets and protection go."""

    name: str
    change: Change = lambda _: None
    unprotect: bool = False
    unmark_secrets: bool = False
    of: Callable[[Resource], bool] = lambda _: True

    def into(self, resource: Resource) -> Resource | None:
        """Return the broken resource; nothing where the change has nothing to change."""
        if not self.of(resource):
            return None
        inputs = copy.deepcopy(dict(resource.inputs))
        self.change(inputs)
        broken = replace(
            resource,
            inputs=inputs,
            protect=resource.protect and not self.unprotect,
            secrets=() if self.unmark_secrets else resource.secrets,
        )
        return None if broken == resource else broken


def put(path: str, value: Any, **more: Any) -> Injection:
    """Return the injection that puts `value` at `path`, such as ``rules[*].enabled``; `GONE` leaves the input out."""
    shown = "left out" if value is GONE else repr(value)
    change: Change = lambda inputs: _put(inputs, _parts(path), value)  # noqa: E731 - a value of the dataclass
    return Injection(name=f"{path} {shown}"[:90], change=change, **more)


def add(path: str, value: Any, **more: Any) -> Injection:
    """Return the injection that adds `value` to the list at `path`."""

    def change(inputs: Inputs) -> None:
        *parents, last = _parts(path)
        for holder in _reach(inputs, parents):
            if isinstance(holder, dict):
                holder[last] = [*holder.get(last, []), value]

    return Injection(name=f"{path} + {value!r}"[:90], change=change, **more)


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"\.|(\[\*\])", path) if part]


def _reach(value: Any, parts: list[str]) -> Iterator[Any]:
    """Yield what is at `parts`; ``[*]`` stands for every entry of a list, and of a single mapping for itself."""
    if not parts:
        yield value
    elif parts[0] == "[*]":
        for item in value if isinstance(value, list) else [value]:
            yield from _reach(item, parts[1:])
    elif isinstance(value, Mapping) and parts[0] in value:
        yield from _reach(value[parts[0]], parts[1:])


def _put(inputs: Inputs, parts: list[str], value: Any) -> None:
    *parents, last = parts
    for holder in _reach(inputs, parents):
        if not isinstance(holder, dict):
            continue
        if value is GONE:
            holder.pop(last, None)
        else:
            holder[last] = copy.deepcopy(value)
