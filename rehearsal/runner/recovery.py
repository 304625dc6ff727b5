"""After a run whose answers were lost: bring what it made, and nobody recorded, into the stack's state.

The engine's own `refresh --import-pending-creates` is not enough: a creation that failed is recorded nowhere, and
3.259.0 only renames a pending creation, nothing imports it (pkg/cmd/pulumi/operations/refresh.go, read 2026-11-26).
So each creation that a preview plans and whose id is known is written into the state, with its id alone, and those are
refreshed: what the cloud has stays, with its real properties, and what it has not goes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.engine import Engine
from rehearsal.runner.resources import PROVIDER_PREFIX

DYNAMIC_PREFIX = "pulumi-python:"
ASKS = 3


@dataclass(frozen=True, eq=False)
class Creation:
    """A creation that the next run would do; `config` is its provider's configuration."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    parent: str | None
    provider: str
    config: Mapping[str, Any] = field(default_factory=dict)


Identify = Callable[[Creation], str | None]
"""Returns the id of what may have been made already; None where nothing can be there, or nobody knows its id."""


@dataclass(frozen=True)
class Recovery:
    """What was asked for: URNs that are in the state now, that are not there, and creations whose ids nobody knew."""

    found: tuple[str, ...]
    absent: tuple[str, ...]
    not_identified: tuple[Creation, ...]


def recover(
    engine: Engine, stack: str, stage: str, identify: Identify, *, asks: int = ASKS, pause_seconds: float = 0.0
) -> Recovery:
    """Find what the last runs on `stack`, towards `stage`, made and did not record.

    A listing may be late: what is not there is asked for `asks` times. Raises RuntimeError in the engine's words.
    """
    preview = engine.preview(stack, stage, lambda _: None)
    if not preview.succeeded:
        raise RuntimeError("\n".join(preview.errors))
    state = engine.read_state(stack)
    standing = {resource["urn"]: resource for resource in state["deployment"].get("resources") or []}
    creations = [creation for raw in preview.events.creations() if (creation := _possible(raw, standing))]
    identified = {creation: id_ for creation in creations if (id_ := identify(creation))}
    absent = set(identified)
    pending = bool(state["deployment"].get("pending_operations"))
    for ask in range(asks):
        if not absent and not (pending and ask == 0):
            break
        if ask:
            time.sleep(pause_seconds)
            state = engine.read_state(stack)
        absent = _asked(engine, stack, stage, state, {creation: identified[creation] for creation in absent})
    return Recovery(
        found=tuple(sorted(creation.urn for creation in set(identified) - absent)),
        absent=tuple(sorted(creation.urn for creation in absent)),
        not_identified=tuple(creation for creation in creations if creation not in identified),
    )


def _asked(
    engine: Engine, stack: str, stage: str, state: dict[str, Any], identified: Mapping[Creation, str]
) -> set[Creation]:
    """Write the creations into `state` with their ids, and refresh them; return those that are not there."""
    deployment = state["deployment"]
    deployment["pending_operations"] = [
        operation for operation in deployment.get("pending_operations") or [] if operation["type"] != "creating"
    ]
    deployment["resources"] = [
        *(deployment.get("resources") or []),
        *(_entry(creation, id_) for creation, id_ in identified.items()),
    ]
    engine.write_state(stack, state)
    if not identified:
        return set()
    run = engine.refresh(stack, stage, lambda _: None, targets=[creation.urn for creation in identified])
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
    left = {resource["urn"] for resource in engine.read_state(stack)["deployment"]["resources"]}
    return {creation for creation in identified if creation.urn not in left}


def _possible(raw: Mapping[str, Any], standing: Mapping[str, Mapping[str, Any]]) -> Creation | None:
    """Return a creation that may have happened already: what it belongs to and its provider are recorded."""
    parent, provider = raw.get("parent"), str(raw.get("provider") or "")
    provider_urn = provider.rpartition("::")[0]
    if raw["type"].startswith(PROVIDER_PREFIX) or provider_urn not in standing:
        return None
    if (parent and parent not in standing) or raw["urn"] in standing:
        return None
    reference = f"{provider_urn}::{standing[provider_urn]['id']}"
    config = standing[provider_urn].get("inputs") or {}
    return Creation(raw["urn"], raw["type"], raw.get("inputs") or {}, parent, reference, config)


def _entry(creation: Creation, id_: str) -> dict[str, Any]:
    # A dynamic provider is itself among the inputs, so that it cannot be asked without them.
    known = dict(creation.inputs) if creation.type.startswith(DYNAMIC_PREFIX) else {}
    entry = {"urn": creation.urn, "custom": True, "id": id_, "type": creation.type, "provider": creation.provider}
    return entry | ({"parent": creation.parent} if creation.parent else {}) | {"inputs": known, "outputs": known}
