"""What a stack's state knows of its keys: their secrets, and since when each is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dreamseed.keys.resources import TOLD_BY, KeyResource
from rehearsal.runner.scaffold import PLAINTEXT


def secrets_in(state: Mapping[str, Any], key: KeyResource, name: str | None) -> set[str]:
    """Return the secret of the generation `name` in a state that shows its secrets; none where it is not there."""
    found = set()
    for resource in _found(state, key, name):
        value = (resource.get("outputs") or {}).get(TOLD_BY[key.type])
        text = json.loads(value[PLAINTEXT]) if isinstance(value, Mapping) else value
        found |= {str(text)} if text else set()
    return found


def is_protected(state: Mapping[str, Any], key: KeyResource) -> bool:
    """Return whether the engine refuses to delete the generation in use."""
    return any(resource.get("protect") for resource in _found(state, key, key.current))


def was_told(state: Mapping[str, Any], key: KeyResource, name: str) -> Any:
    """Return the input `name` of the generation in use, None where there is none."""
    return next((resource.get("inputs", {}).get(name) for resource in _found(state, key, key.current)), None)


def in_use_since(state: Mapping[str, Any], key: KeyResource) -> datetime | None:
    """Return when the generation in use was made; for one that changes in place, when it was changed last, if ever."""
    for resource in _found(state, key, key.current):
        if moment := (resource.get("modified") if key.in_place else None) or resource.get("created"):
            return datetime.fromisoformat(moment)
    return None


def _found(state: Mapping[str, Any], key: KeyResource, name: str | None) -> Iterator[Mapping[str, Any]]:
    for resource in state["deployment"].get("resources") or []:
        if resource["type"] == key.type and resource["urn"].rpartition("::")[2] == name:
            yield resource
