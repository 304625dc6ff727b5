"""After lost answers or a lost state: bring what is in the clouds, and is not recorded, into the stack's state.

The engine's own `refresh --import-pending-creates` is not enough: a creation that failed is recorded nowhere, and
3.259.0 only renames a pending creation, nothing imports it (pkg/cmd/pulumi/operations/refresh.go, read 2026-11-26).
So each creation that a preview plans and whose id is known is written into the state, with its id alone, and those are
refreshed: what the cloud has stays, with its real properties, and what it has not goes again.

What lives in the state alone (a random password) is written with its value. Not imported: an import takes the value as
the id, which the state keeps in plain, and takes the provider's defaults for its inputs, so that the next `up` would
replace it (random 3.9, `ImportState` of resource_password.go).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.engine import Engine
from rehearsal.runner.resources import PROVIDER_PREFIX
from rehearsal.runner.scaffold import Standing, entry_of, secret, shown

DYNAMIC_PREFIX = "pulumi-python:"
LOCAL_PREFIX = "random:"
ASKS = 3
ROUNDS_AT_MOST = 12


@dataclass(frozen=True, eq=False)
class Creation:
    """A creation that the next run would do; `config` is its provider's configuration, `planned` what it would answer.

    What is not known, or secret, is left out of `planned`.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any]
    parent: str | None
    provider: str
    config: Mapping[str, Any] = field(default_factory=dict)
    planned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """The id of what may be there, and those of its properties that nobody tells again, by name: they are secret.

    `public` are such properties that are no secrets.
    """

    id: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)


Identify = Callable[[Creation], Identity | None]
"""Returns what is known of what may have been made already; None where nothing can be there, or nobody knows its id."""


@dataclass(frozen=True)
class Recovery:
    """What was asked for: URNs that are in the state now, that are not there, and creations whose ids nobody knew."""

    found: tuple[str, ...]
    absent: tuple[str, ...]
    not_identified: tuple[Creation, ...]


def recover(
    engine: Engine,
    stack: str,
    stage: str,
    identify: Identify,
    *,
    asks: int = ASKS,
    pause_seconds: float = 0.0,
    whole: bool = False,
) -> Recovery:
    """Find what the last runs on `stack`, towards `stage`, made and did not record.

    A listing may be late: what is not there is asked for `asks` times. `whole`: the state itself was lost, or is an
    older one. Then components and providers, which are nowhere but in the state, are written as the program declares
    them, and it is asked again until nothing more is found: ids follow from what was found before. Raises RuntimeError
    in the engine's words.
    """
    found: set[str] = set()
    gone: set[str] = set()
    for _ in range(ROUNDS_AT_MOST):
        preview = engine.preview(stack, stage, lambda _: None)
        if not preview.succeeded:
            raise RuntimeError("\n".join(preview.errors))
        state = engine.read_state(stack)
        standing = Standing.of(state)
        scaffold = standing.with_scaffold(preview.events.created_states()) if whole else ()
        creations = [creation for raw in preview.events.creations() if (creation := _possible(raw, standing))]
        identified = {c: identity for c in creations if c.urn not in gone and (identity := identify(c))}
        absent = _ask(engine, stack, stage, state, scaffold, identified, asks, pause_seconds)
        found |= {creation.urn for creation in identified.keys() - absent}
        gone |= {creation.urn for creation in absent}
        unknown = tuple(c for c in creations if c not in identified and c.urn not in gone)
        if not whole or not (scaffold or identified.keys() - absent):
            break
    return Recovery(tuple(sorted(found)), tuple(sorted(gone)), unknown)


def restore(engine: Engine, stack: str, stage: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    """Put an earlier state in the place of the stack's and refresh it; return the URNs that no cloud has any more.

    It undoes a refresh that dropped what is there, because a listing was late or an API said 404 for a moment: the next
    `up` would make that a second time, or find its name taken. Raises RuntimeError in the engine's words.
    """
    engine.write_state(stack, state)
    engine.read_state(stack, show_secrets=True)  # refused where the passphrase does not open it
    run = engine.refresh(stack, stage, lambda _: None)
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
    left = Standing.of(engine.read_state(stack))
    return tuple(r["urn"] for r in state["deployment"].get("resources") or [] if r["urn"] not in left)


def _ask(
    engine: Engine,
    stack: str,
    stage: str,
    state: dict[str, Any],
    scaffold: Sequence[Mapping[str, Any]],
    identified: Mapping[Creation, Identity],
    asks: int,
    pause_seconds: float,
) -> set[Creation]:
    """Ask for the creations up to `asks` times; return those that are not there."""
    absent = set(identified)
    pending = bool(state["deployment"].get("pending_operations"))
    for ask in range(asks):
        if not absent and not ((pending or scaffold) and ask == 0):
            break
        if ask:
            time.sleep(pause_seconds)
            state, scaffold = engine.read_state(stack), ()
        absent = _asked(engine, stack, stage, state, scaffold, {creation: identified[creation] for creation in absent})
    return absent


def _asked(
    engine: Engine,
    stack: str,
    stage: str,
    state: dict[str, Any],
    scaffold: Sequence[Mapping[str, Any]],
    identified: Mapping[Creation, Identity],
) -> set[Creation]:
    """Write the creations into `state` with their ids, and refresh them; return those that are not there."""
    deployment = state["deployment"]
    deployment["pending_operations"] = [
        operation for operation in deployment.get("pending_operations") or [] if operation["type"] != "creating"
    ]
    deployment["resources"] = [
        *(deployment.get("resources") or []),
        *scaffold,
        *(_entry(creation, identity) for creation, identity in identified.items()),
    ]
    engine.write_state(stack, state)
    asked = [creation for creation in identified if not creation.type.startswith(LOCAL_PREFIX)]
    if not asked:
        return set()
    run = engine.refresh(stack, stage, lambda _: None, targets=[creation.urn for creation in asked])
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
    after = engine.read_state(stack)
    left = {resource["urn"]: resource for resource in after["deployment"]["resources"]}
    told = {c: identified[c] for c in asked if c.urn in left and (identified[c].secrets or identified[c].public)}
    for creation, identity in told.items():
        _tell(left[creation.urn], creation, identity)
    if told:
        engine.write_state(stack, after)
    return {creation for creation in asked if creation.urn not in left}


def _possible(raw: Mapping[str, Any], standing: Standing) -> Creation | None:
    """Return a creation that may have happened already: what it belongs to and its provider are recorded."""
    parent, provider_urn = raw.get("parent"), str(raw.get("provider") or "").rpartition("::")[0]
    if raw["type"].startswith(PROVIDER_PREFIX) or provider_urn not in standing:
        return None
    if (parent and parent not in standing) or raw["urn"] in standing:
        return None
    provider = standing[provider_urn]
    reference = f"{provider_urn}::{provider['id']}"
    return Creation(
        raw["urn"],
        raw["type"],
        raw.get("inputs") or {},
        parent,
        reference,
        provider.get("inputs") or {},
        shown(raw.get("outputs") or {}),
    )


def _entry(creation: Creation, identity: Identity) -> dict[str, Any]:
    # A dynamic provider is itself among the inputs, so that it cannot be asked without them.
    known = dict(creation.inputs) if creation.type.startswith((DYNAMIC_PREFIX, LOCAL_PREFIX)) else {}
    made = entry_of(
        creation.urn, creation.type, creation.parent, id=identity.id, provider=creation.provider, inputs=known
    )
    if creation.type.startswith(LOCAL_PREFIX):
        made["outputs"] = {**known, **creation.planned}
        _tell(made, creation, identity)
    return made


def _tell(resource: dict[str, Any], creation: Creation, identity: Identity) -> None:
    """Put what is known into a resource of a state; the engine encrypts what is secret when the state is written."""
    told = {key: secret(text) for key, text in identity.secrets.items()} | dict(identity.public)
    resource["outputs"] = {**(resource.get("outputs") or {}), **told}
    inputs = {key: value for key, value in told.items() if key in creation.inputs}
    resource["inputs"] = {**(resource.get("inputs") or {}), **inputs}
