"""A plugin's answers in the terms of the seams.

Source of the rules: pulumi 3.259.0, sdk/go/common/resource/plugin/provider_plugin.go, and the bridge of the official
plugins (pulumi-terraform-bridge, pkg/tfbridge/provider.go, pkg/pf/tfbridge/resource_state.go), read 2026-11-27.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from rehearsal.providers.seams import ChangeKind, Difference, PropertyChange
from rehearsal.providers.values import Secret, Value, Values, revealed

KINDS = {
    provider_pb2.PropertyDiff.ADD: (ChangeKind.ADD, False),
    provider_pb2.PropertyDiff.ADD_REPLACE: (ChangeKind.ADD, True),
    provider_pb2.PropertyDiff.DELETE: (ChangeKind.DELETE, False),
    provider_pb2.PropertyDiff.DELETE_REPLACE: (ChangeKind.DELETE, True),
    provider_pb2.PropertyDiff.UPDATE: (ChangeKind.UPDATE, False),
    provider_pb2.PropertyDiff.UPDATE_REPLACE: (ChangeKind.UPDATE, True),
}
META = "__meta"
# No schema has so many versions: the plugin then says which is its newest.
NO_VERSION = '{"schema_version":"999999999"}'
NEWEST = re.compile(r"cannot be downgraded from resource schema version \d+ to (\d+)")


def difference(answer: Any, old_inputs: Values, inputs: Values) -> Difference:
    """What a plugin's Diff says; where it leaves the comparison to the engine, the engine's, of top-level inputs."""
    kinds = provider_pb2.DiffResponse
    if answer.changes == kinds.DIFF_NONE:
        return Difference()
    changes = [PropertyChange(path, *KINDS[row.kind]) for path, row in sorted(answer.detailedDiff.items())]
    named = list(answer.diffs)
    if answer.changes == kinds.DIFF_UNKNOWN and not changes:
        before, after = revealed(old_inputs), revealed(inputs)
        named = named or [key for key in sorted({**old_inputs, **inputs}) if _at(before, key) != _at(after, key)]
    covered = {_top(change.path) for change in changes}
    changes += [PropertyChange(key, ChangeKind.UPDATE, replaces=False) for key in named if _top(key) not in covered]
    changes = _replacing(changes, list(answer.replaces))
    if not changes and answer.changes == kinds.DIFF_SOME:
        # The plugin sees a change and names none: the root stands for it.
        changes = [PropertyChange("", ChangeKind.UPDATE, replaces=False)]
    return Difference(changes, answer.deleteBeforeReplace)


def _replacing(changes: list[PropertyChange], replaces: list[str]) -> list[PropertyChange]:
    """The changes, with each property that a plugin lists as replacing marked as such at least once."""
    missing = [key for key in replaces if not any(c.replaces and _top(c.path) == _top(key) for c in changes)]
    marked = [
        PropertyChange(c.path, c.kind, replaces=True) if _top(c.path) in map(_top, missing) else c for c in changes
    ]
    there = {_top(change.path) for change in changes}
    return marked + [PropertyChange(key, ChangeKind.UPDATE, replaces=True) for key in missing if _top(key) not in there]


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _at(value: Value, key: str) -> Value:
    return value.get(key) if isinstance(value, dict) else None


def with_secrets_of(answer: Values, given: Values) -> Values:
    """An answer of a plugin that was given secrets in plain: what was secret under the same name is so again."""
    marked = dict(answer)
    for key, value in given.items():
        if key not in answer:
            continue
        if isinstance(value, dict) and isinstance(answer[key], dict):
            marked[key] = with_secrets_of(answer[key], value)
        elif _holds_secret(value) and not isinstance(answer[key], Secret):
            marked[key] = Secret(answer[key])
    return marked


def _holds_secret(value: Value) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))
