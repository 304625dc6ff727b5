"""What must hold after the last run: asked of the fake cloud, of the engine's state, and of every file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.chaos.lookup import DYNAMIC
from rehearsal.guards import guarded
from rehearsal.providers.cloud.fake_cloud import RULES, FakeCloud
from rehearsal.providers.wire import SIGNATURE
from rehearsal.runner.scaffold import PLAINTEXT

KEPT_AS = {token: kept for token, (kept, _) in DYNAMIC.items()}
"""The types by which the fake cloud keeps what dynamic providers made."""
SHORTEST_SECRET = 8
Object = tuple[str, str]


def recorded(state: Mapping[str, Any]) -> list[Object]:
    """Return type and id of every object that the state says is in a cloud."""
    resources = state["deployment"].get("resources") or []
    pairs = [(KEPT_AS.get(r["type"], r["type"]), r["id"]) for r in resources if r.get("custom") and r.get("id")]
    return [pair for pair in pairs if pair[0] in KEPT_AS.values() or (pair[0] in RULES and not RULES[pair[0]].local)]


def existing(cloud: FakeCloud) -> list[Object]:
    """Return type and id of every object in the fake cloud."""
    tokens = [*sorted(RULES), *KEPT_AS.values()]
    return [(token, found.id) for token in tokens for found in cloud.list(token)]


def guards(cloud: FakeCloud) -> list[Object]:
    """Return type and id of every object that its cloud refuses to delete until its owner lifts that."""
    return sorted(guarded(cloud))


def differences(state: Mapping[str, Any], cloud: FakeCloud, expected: Counter[str]) -> list[str]:
    """Return what is recorded and not there, there and not recorded, and of which type there are too many or too few.

    `expected` counts the objects of each type after the same runs without a fault.
    """
    in_state, in_cloud = Counter(recorded(state)), Counter(existing(cloud))
    lines = [f"recorded, but not in the cloud: {token} {id_}" for token, id_ in (in_state - in_cloud)]
    lines += [f"in the cloud, but not recorded: {token} {id_}" for token, id_ in (in_cloud - in_state)]
    return lines + miscounted(Counter(token for token, _ in in_cloud.elements()), expected)


def miscounted(counted: Counter[str], expected: Counter[str]) -> list[str]:
    """Return of which type there are too many or too few objects."""
    return [
        f"{counted[token]} of {token}, without a fault {expected[token]}"
        for token in sorted(counted.keys() | expected.keys())
        if counted[token] != expected[token]
    ]


def secrets_of(state: Mapping[str, Any]) -> dict[str, str]:
    """Return every secret text of a state that was exported with its secrets shown, by where it stands in it."""
    found: dict[str, str] = {}
    for resource in state["deployment"].get("resources") or []:
        for part in ("inputs", "outputs"):
            found |= dict(_secrets(resource.get(part), f"{resource['urn']} {part}", hidden=False))
    return found


def _secrets(value: Any, place: str, *, hidden: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if SIGNATURE in value and PLAINTEXT in value:
            yield from _secrets(json.loads(value[PLAINTEXT]), place, hidden=True)
        else:
            for key, inner in value.items():
                yield from _secrets(inner, f"{place}.{key}", hidden=hidden)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{place}[{number}]", hidden=hidden)
    elif hidden and isinstance(value, str) and len(value) >= SHORTEST_SECRET:
        yield place, value


def leaks(secrets: Mapping[str, str], folders: Sequence[Path], outputs: Sequence[str]) -> dict[str, list[str]]:
    """Return the files and outputs in which secrets stand in plain, by where the secret belongs; never a secret."""
    files = [(str(path), path.read_bytes()) for folder in folders for path in folder.rglob("*") if path.is_file()]
    texts = files + [(f"output of run {number}", text.encode()) for number, text in enumerate(outputs, start=1)]
    found = {place: [name for name, text in texts if secret.encode() in text] for place, secret in secrets.items()}
    return {place: names for place, names in found.items() if names}
