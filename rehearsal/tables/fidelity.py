"""How true the tables are, as far as the installed SDKs tell: what a program uses, and where they disagree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rehearsal.tables.docstrings import Note, notes_of, secrets_of
from rehearsal.tables.extract import extract
from rehearsal.tables.facts import PROPERTIES, TABLES, TypeFacts, UnknownTypeError, facts_for, tokens_with_facts
from rehearsal.tables.provenance import Provenance, check, is_default, lines_of
from rehearsal.tables.shapes import Kind, Shape, resource_shape

ENGINE_KEYS = ("__",)
Used = Mapping[str, frozenset[str]]
"""The generic paths of inputs that a program sets, by type."""


@dataclass(frozen=True)
class Fidelity:
    """What was found of one package.

    `types` and `paths` are those used; `without` those of them that no table has, or whose table names no source.
    `unverified` are used paths whose behaviour nobody read in the provider's source. `notes` counts what the SDK's
    documentation says of all inputs of the package's types, `replacing` and `valued` those that say something.
    `facts` are those of the used types: `sourced` of them have a line of provenance that holds, `stated` the SDK says
    itself, `guessed` nobody read in the provider's source; `unsourced` is what is wrong with facts and lines.
    """

    package: str
    types: int
    paths: int
    without: tuple[str, ...]
    unverified: tuple[str, ...]
    notes: int
    replacing: int
    valued: int
    disagreements: tuple[str, ...]
    explained: int
    stale: tuple[str, ...]
    facts: int
    sourced: int
    stated: int
    guessed: tuple[str, ...]
    unsourced: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything used has an entry, every fact of it its line, and every disagreement a reason."""
        return not (self.without or self.disagreements or self.stale or self.unsourced)


def used_paths(token: str, inputs: Mapping[str, Any]) -> frozenset[str]:
    """Return the generic paths that the inputs of one resource set; a path that no table has comes as it is."""
    return frozenset(_paths(inputs, resource_shape(token).inputs, ""))


def _paths(values: Mapping[str, Any], fields: Mapping[str, Shape], above: str) -> Iterator[str]:
    for key, value in values.items():
        if value is not None and not key.startswith(ENGINE_KEYS):
            path = f"{above}.{key}" if above else key
            yield path
            yield from _below(value, fields.get(key), path)


def _below(value: Any, shape: Shape | None, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _below(item, shape and shape.element, f"{path}[]")
    elif isinstance(value, Mapping) and shape is not None and shape.kind is Kind.OBJECT:
        yield from _paths(value, shape.fields, path)


def measure(package: str, used: Used) -> Fidelity:
    """Compare the tables of one package with the installed SDK, and with what is used."""
    tokens = frozenset(tokens_with_facts(package))
    notes = {token: notes_of(token, tokens) for token in sorted(tokens)}
    found = {(token, path): why for token in notes for path, why in _against_notes(facts_for(token), notes[token])}
    found |= {(token, path): why for token in notes for path, why in _against_secrets(token, tokens)}
    found |= _against_names(package)
    for token in notes:
        nested = {path for path, note in notes[token].items() if note.required and "." in path}
        if nested != set(facts_for(token).required_nested):
            found[token, "required_nested"] = "not what the installed SDK requires inside its blocks"
    reasons = {pair: why for pair, why in _reasons().items() if pair[0] in tokens}
    every = [note for of_type in notes.values() for note in of_type.values()]
    origins = list(_origins(package, tokens & used.keys()))
    return Fidelity(
        package=package,
        types=len(used),
        paths=sum(map(len, used.values())),
        without=tuple(sorted(path for token, paths in used.items() for path in _without(token, paths))),
        unverified=tuple(sorted(path for token, paths in used.items() for path in _unverified(token, paths))),
        notes=len(every),
        replacing=sum(note.replaces for note in every),
        valued=sum(bool(note.values) for note in every),
        disagreements=tuple(sorted(f"{t} {p}: {why}" for (t, p), why in found.items() if (t, p) not in reasons)),
        explained=len(found.keys() & reasons.keys()),
        stale=tuple(sorted(f"{token} {path}" for token, path in reasons.keys() - found.keys())),
        facts=sum(origin.facts for origin in origins),
        sourced=sum(origin.sourced for origin in origins),
        stated=sum(origin.stated for origin in origins),
        guessed=tuple(sorted(fact for origin in origins for fact in origin.unverified)),
        unsourced=tuple(sorted(fact for origin in origins for fact in origin.wrong)),
    )


def _origins(package: str, tokens: Iterable[str]) -> Iterator[Provenance]:
    lines = lines_of(package)
    for token in sorted(tokens):
        yield check(token, lines.get(token, {}))


def _without(token: str, paths: Iterable[str]) -> Iterator[str]:
    try:
        facts, fields = facts_for(token), resource_shape(token).inputs
    except UnknownTypeError:
        yield token
        return
    if not facts.source:
        yield f"{token} names no source"
    yield from (f"{token} {path}" for path in paths if not _has(fields, path))


def _has(fields: Mapping[str, Shape], path: str) -> bool:
    for name in path.replace("[]", "").split("."):
        shape = fields.get(name)
        if shape is None:
            return False
        while shape.element is not None:
            shape = shape.element
        fields = shape.fields
    return True


def _unverified(token: str, paths: Iterable[str]) -> Iterator[str]:
    marked = facts_for(token).unverified
    for path in paths:
        if any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in marked):
            yield f"{token} {path}"


def _against_notes(facts: TypeFacts, notes: Mapping[str, Note]) -> Iterator[tuple[str, str]]:
    """Yield the paths of a type where the documentation says more than its table."""
    replaced = {*facts.replace, *facts.replace_if}
    for path, note in notes.items():
        values = facts.enums.get(path) or facts.enums_api.get(path)
        more = note.values - set(map(str, values or note.values))
        if note.replaces and path not in replaced:
            yield path, "the documentation says that a change replaces, the table does not"
        elif more:
            yield path, f"the documentation names {', '.join(sorted(more))}, the table does not"
        elif note.default is not None and not is_default(note.default, facts.defaults.get(path, note.default)):
            yield path, f"the documentation names {note.default} as the default, the table {facts.defaults[path]}"


def _against_secrets(token: str, tokens: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the properties of a type that its table or the SDK calls secret, and the other does not."""
    in_table = {path for path in facts_for(token).secret if "." not in path and "[" not in path}
    for path in sorted(in_table ^ secrets_of(token, tokens).keys()):
        yield path, f"is secret for {'the table' if path in in_table else 'the installed SDK'} only"


def _against_names(package: str) -> dict[tuple[str, str], str]:
    """Return where names, types and what is required are not those that the installed SDK declares."""
    kept, fresh = json.loads((PROPERTIES / f"{package}.json").read_text("utf-8")), extract(package)
    found = {
        (package, part): "not as the installed SDK has it"
        for part in fresh
        if part != "resources" and kept[part] != fresh[part]
    }
    resources: Any = fresh["resources"]
    for token, row in resources.items():
        required = {name for name, type_ in row["inputs"].items() if type_.endswith("!")}
        if kept["resources"].get(token) != row or set(facts_for(token).required) != required:
            found[token, "names, types or required inputs"] = "not as the installed SDK has them"
    return found


@cache
def _reasons() -> dict[tuple[str, str], str]:
    rows = json.loads((TABLES / "disagreements.json").read_text("utf-8"))
    del rows["_meta"]
    return {(token, path): why for token, row in rows.items() for path, why in row.items()}
