"""Lift what guards the fake cloud's objects against deletion, as their owner would by hand before taking all down.

Real databases and services refuse to be deleted until somebody turns their protection off. A rehearsal ends by
deleting everything, so it does the same by hand: it edits the objects in the fake cloud, and the engine's destroy
refreshes first and so learns of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from rehearsal.providers.cloud.fake_cloud import FakeCloud

GUARDS = ("deletionProtection", "deletionProtectionEnabled", "deleteProtection")
POLICY, PREVENTS, DELETES = "deletionPolicy", "PREVENT", "DELETE"


def guarded(cloud: FakeCloud) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the guarded objects by type and id: their top-level properties as they would be without a guard."""
    return {
        (token, found.id): changes
        for token in cloud.tokens()
        for found in cloud.list(token)
        if (changes := _without_guards(found.outputs))
    }


def lift(state_dir: Path) -> int:
    """Turn off every guard of the objects in the fake cloud; return how many objects were guarded."""
    with closing(FakeCloud(state_dir)) as cloud:
        found = guarded(cloud)
        for (token, object_id), changes in found.items():
            cloud.edit(token, object_id, changes)
    return len(found)


def _without_guards(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top-level properties that must change, with every guard in them off."""
    return {key: after for key, before in values.items() if (after := _lifted(key, before)) != before}


def _lifted(key: str, value: Any) -> Any:
    if key in GUARDS and value is True:
        return False
    if key == POLICY and value == PREVENTS:
        return DELETES
    if isinstance(value, Mapping):
        return {inner: _lifted(inner, nested) for inner, nested in value.items()}
    return value
