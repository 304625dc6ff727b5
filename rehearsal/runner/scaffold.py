"""What stands in a state beside the objects of clouds: the stack, its components, its providers.

They are nowhere else, so where a state was lost they are written as the program declares them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.providers.wire import SECRET, SIGNATURE, UNKNOWN_TEXT
from rehearsal.runner.resources import PROVIDER_PREFIX

HIDDEN = "[secret]"
"""What stands in the engine's events for a secret."""
PLAINTEXT = "plaintext"


class Standing(Mapping[str, Mapping[str, Any]]):
    """The resources of a state by URN."""

    def __init__(self, resources: Sequence[Mapping[str, Any]]) -> None:
        self._resources = {resource["urn"]: resource for resource in resources}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Standing:
        """Return what stands in a state as the engine exports it."""
        return cls(state["deployment"].get("resources") or [])

    def __getitem__(self, urn: str) -> Mapping[str, Any]:
        return self._resources[urn]

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def with_scaffold(self, created: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
        """Add the stack, components and providers among `created`, and return their entries in a state.

        `created` are states of a preview, a parent before its children.
        """
        added = [
            _scaffold(raw)
            for raw in created
            if raw["urn"] not in self and (not raw.get("custom") or raw["type"].startswith(PROVIDER_PREFIX))
        ]
        self._resources |= {entry["urn"]: entry for entry in added}
        return tuple(added)


def _scaffold(raw: Mapping[str, Any]) -> dict[str, Any]:
    inputs = shown(raw.get("inputs") or {})
    if not raw.get("custom"):
        return entry_of(raw["urn"], raw["type"], raw.get("parent"), custom=False)
    return entry_of(raw["urn"], raw["type"], raw.get("parent"), id=str(uuid.uuid4()), inputs=inputs)


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of an event's values in which nothing is secret or unknown."""
    return {k: v for k, v in values.items() if not any(mark in json.dumps(v) for mark in (HIDDEN, UNKNOWN_TEXT))}


def entry_of(urn: str, type_: str, parent: str | None, *, custom: bool = True, **more: Any) -> dict[str, Any]:
    """Return a resource of a state; its outputs are its inputs."""
    entry = {"urn": urn, "custom": custom, "type": type_} | ({"parent": parent} if parent else {}) | more
    return entry | ({"outputs": dict(more["inputs"])} if "inputs" in more else {})


def secret(text: str) -> dict[str, str]:
    """Return a secret text as it stands in a state that shows its secrets; the engine encrypts it when it takes it."""
    return {SIGNATURE: SECRET, PLAINTEXT: json.dumps(text)}
