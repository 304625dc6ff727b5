"""How a program goes wrong: each operator yields its mutants of one resource.

Where an operator applies is told by the resource itself and by the installed SDKs' documentation, never by the tables
or rules that have to catch it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rehearsal.tables.docstrings import Note, notes_of
from rehearsal.tables.facts import tokens_with_facts
from tests.ledger import identity
from tests.mutation.mutant import GONE, Mutant, Path, brief, generic, places, shown
from tests.program import Registered

CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Z]{3,}")
IDENTITY = re.compile(r"(name|Id|id|location|region|zone|project|host|network|Range|Block|settingId|type|driver)$")
"""Names of inputs that say what a resource is, or where."""
GUARD = re.compile(r"rotect|deletionPolicy|retainBackups|keepLocally|immutableTags|forceDestroy", re.IGNORECASE)
RELEASED = {"PREVENT": "DELETE", "DISABLE": "DELETE", True: False, False: True}
WIDER = {"member": "allUsers", "role": "roles/editor", "ip": "0.0.0.0", "ingress": "INGRESS_TRAFFIC_ALL"}
NET = re.compile(r"\d+\.\d+\.\d+\.\d+/\d+")


@dataclass(frozen=True)
class Surroundings:
    """What an operator knows beside the resource: `references`, by text, are the outputs of others of the stage."""

    references: Mapping[str, tuple[tuple[str, str], ...]]
    """Text that a resource of the stage is referred to by → the same output of its siblings, here and in the tests."""
    reaches: Callable[[str, frozenset[str]], frozenset[str]]
    """All that a URN waits for, directly or through others, without some of its own dependencies."""


Operator = Callable[[Registered, Surroundings], Iterator[Mutant]]


@cache
def _notes(token: str) -> Mapping[str, Note]:
    package = token.partition(":")[0]
    known = frozenset(tokens_with_facts(package)) if not token.startswith("pulumi") else frozenset()
    return notes_of(token, known) if token in known else {}


def _put(operator: str, resource: Registered, path: Path, old: Any, new: Any) -> Mutant:
    what = f"{shown(path)} {brief(old)} → {brief(new)}"
    return Mutant(operator=operator, type=resource.type, name=resource.name, what=what, path=path, value=new)


def wrong_enum(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield a misspelt value for each input that takes one of a few: a constant, or the documentation names them."""
    notes = _notes(resource.type)
    for path, value in places(resource.inputs):
        if not isinstance(value, str) or resource.type.startswith("pulumi") or {"uploads", "envs"} & set(path):
            continue
        note = notes.get(generic(path))
        if CONSTANT.fullmatch(value) or (note is not None and value in note.values):
            yield _put("wrong enum", resource, path, value, value[:-1] + ("Y" if value.isupper() else "y"))


def missing_field(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield the resource without one of its inputs, at every depth."""
    for path, value in places(resource.inputs):
        if isinstance(path[-1], str) and value not in ([], {}, None):
            yield _put("missing field", resource, path, value, GONE)


def wrong_type(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield a value of another type for each input."""
    for path, value in places(resource.inputs):
        if value in ([], {}, None):
            continue
        if isinstance(value, bool):
            yield _put("wrong type", resource, path, value, "enabled")
        elif isinstance(value, int | float):
            yield _put("wrong type", resource, path, value, f"{value} or so")
        elif isinstance(value, str):
            yield _put("wrong type", resource, path, value, [value])
        elif isinstance(value, list):
            yield _put("wrong type", resource, path, value, "all")


def out_of_range(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield a number below zero, and one a hundred thousand times as large, for each number."""
    for path, value in places(resource.inputs):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield _put("out-of-range number", resource, path, value, -1 - value)
            yield _put("out-of-range number", resource, path, value, (value + 1) * 100_000)


def swapped_reference(resource: Registered, around: Surroundings) -> Iterator[Mutant]:
    """Yield the resource with each reference leading to a sibling of what it leads to."""
    for path, value in places(resource.inputs):
        own = path[-1] in ("name", "accountId") or not isinstance(value, str)
        siblings = () if own else around.references.get(value, ())
        for other, in_tests in siblings[:1]:
            yield replace(_put("swapped reference", resource, path, value, other), in_tests=in_tests)


def dropped_protection(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield the resource without the engine's protection, and without each guard of its provider."""
    if resource.protect:
        yield Mutant(
            operator="dropped protection",
            type=resource.type,
            name=resource.name,
            what="protect is off",
            unprotected=True,
        )
    for path, value in places(resource.inputs):
        if isinstance(path[-1], str) and GUARD.search(path[-1]) and value in RELEASED:
            yield _put("dropped protection", resource, path, value, RELEASED[value])


def renamed(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield the resource under another logical name, without an alias."""
    new = f"{resource.name}-renamed"
    what = f"is called {new}"
    yield Mutant(operator="renamed resource", type=resource.type, name=resource.name, what=what, renamed=new)


def changed_identity(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield another text for what says what the resource is, or where."""
    for path, value in places(resource.inputs):
        if isinstance(value, str) and len(path) <= 2 and isinstance(path[-1], str) and IDENTITY.search(path[-1]):
            other = re.sub(r"\d+$", "", value)[:-1] + ("b" if not value.endswith("b") else "c")
            yield _put("changed identity", resource, path, value, other)


def plain_secret(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield the resource with its secrets not marked as such."""
    if resource.secrets:
        yield Mutant(
            operator="secret made plain",
            type=resource.type,
            name=resource.name,
            what=f"{', '.join(resource.secrets)[:60]} plain",
            unmarked=True,
        )


def dropped_dependency(resource: Registered, around: Surroundings) -> Iterator[Mutant]:
    """Yield the resource without each dependency that nothing else implies: the order is then another."""
    for urn in resource.dependencies:
        if urn in resource.implied or urn in around.reaches(resource.urn, frozenset({urn})):
            continue
        what = f"does not wait for {urn.rsplit('::', 1)[-1]}"
        yield Mutant(
            operator="dropped dependency",
            type=resource.type,
            name=resource.name,
            what=what,
            without=identity(urn),
        )


def lost_resource(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield the stage without the resource."""
    yield Mutant(operator="lost resource", type=resource.type, name=resource.name, what="is not declared", lost=True)


def lost_entry(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield each list without its last entry."""
    for path, value in places(resource.inputs):
        if isinstance(value, list) and value:
            yield _put("lost entry", resource, path, value, value[:-1])


def turned_over(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield each switch the other way."""
    for path, value in places(resource.inputs):
        if isinstance(value, bool):
            yield _put("switch turned over", resource, path, value, not value)


def widened(resource: Registered, _: Surroundings) -> Iterator[Mutant]:
    """Yield access for more than was meant: everybody, a basic role, every address."""
    for path, value in places(resource.inputs):
        key = path[-1] if isinstance(path[-1], str) else ""
        if isinstance(value, str) and key in WIDER and value != WIDER[key]:
            yield _put("widened access", resource, path, value, WIDER[key])
        elif isinstance(value, str) and NET.fullmatch(value) and "anges" in shown(path):
            yield _put("widened access", resource, path, value, "0.0.0.0/0")


OPERATORS: tuple[Operator, ...] = (
    wrong_enum,
    missing_field,
    wrong_type,
    out_of_range,
    swapped_reference,
    dropped_protection,
    renamed,
    changed_identity,
    plain_secret,
    dropped_dependency,
    lost_resource,
    lost_entry,
    turned_over,
    widened,
)
