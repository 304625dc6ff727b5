"""Where each fact of a table comes from: `provenance/<package>.json`, one line a fact, read by `make fidelity` only.

A line holds references, separated by `; `:

- `compute/address.py:120`: that line of the installed SDK says so itself, which is checked;
- `source`: it was read in what the table's `_source` names; `bridge`: in what `_meta.bridge` names;
- `lifecycle`: in what the row of `lifecycle.json` names;
- anything longer is a reason in words, for a rule of our own;
- `#1a2b3c` at the end: the digest of the fact's value. With another value the line no longer counts.

`python -m rehearsal.tables.provenance [TYPE …]` writes what the SDKs say, for the types that have lines and those
named; it keeps what was given by hand, adds digests, and lists the facts that have no line. It never makes one up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rehearsal.tables.docstrings import Note, notes_of, outputs_of, secrets_of
from rehearsal.tables.facts import LIFECYCLE, META, PACKAGES, TABLES, rows_of, table_of, tokens_with_facts

PROVENANCE = TABLES / "provenance"
NO_FACTS = {"_source", "notes", "unverified"}
SDK_PLACE = re.compile(r"[\w/]+\.py:\d+")
DIGEST = re.compile(r"#[0-9a-f]{6}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
NAMED = {"source", "bridge", "lifecycle"}
SHORTEST_REASON = 20

Lines = Mapping[str, str]
"""The lines of one type, by the name of the fact."""


@dataclass(frozen=True)
class Provenance:
    """What was found of one type.

    How many facts it has, how many have a line that holds, how many the SDK says itself; which are unverified; and what
    is wrong, of facts and of lines.
    """

    facts: int
    sourced: int
    stated: int
    unverified: tuple[str, ...]
    wrong: tuple[str, ...]


def facts_in(token: str) -> dict[str, Any]:
    """Return the facts of a type by name: `replace network`, `conflicts a b`, `defaults timeoutSec`, `autoname`.

    The value is None where the name says everything.
    """
    life = table_of(TABLES / LIFECYCLE).get(token, {})
    return {name: value for row in (rows_of(token.partition(":")[0])[token], life) for name, value in _named(row)}


def _named(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if key in NO_FACTS:
            continue
        if isinstance(value, list):
            yield from ((f"{key} {one if isinstance(one, str) else ' '.join(one)}", None) for one in value)
        elif isinstance(value, dict):
            yield from ((f"{key} {path}", one) for path, one in value.items())
        else:
            yield key, value


@cache
def stated_by_sdk(token: str) -> dict[str, str]:
    """Return the facts that the installed SDK says itself, with the place where it does."""
    tokens = frozenset(tokens_with_facts(token.partition(":")[0]))
    notes, outputs, secrets = notes_of(token, tokens), outputs_of(token, tokens), secrets_of(token, tokens)
    found = {}
    for name, value in facts_in(token).items():
        key, _, path = name.partition(" ")
        if key in ("computed", "secret"):
            place = (outputs if key == "computed" else secrets).get(path)
        else:
            note = notes.get(path)
            place = note.place if note and _says(note, key, value) else None
        if place:
            found[name] = place
    return found


def _says(note: Note, key: str, value: Any) -> bool:
    if key in ("required", "required_nested"):
        return note.required
    if key == "replace":
        return note.replaces
    if key == "write_only":
        return note.write_only
    if key == "defaults":
        return note.default is not None and is_default(note.default, value)
    if key in ("enums", "enums_api"):
        values = {str(one) for one in value if one != ""}
        return values == note.values or (not note.values and values <= note.quoted)
    return False


def is_default(text: str, value: Any) -> bool:
    """Whether a default is the one that the documentation writes: `1` for 1.0, `true` for True."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return NUMBER.fullmatch(text) is not None and float(text) == value
    return text == (value if isinstance(value, str) else json.dumps(value))


def digest(value: Any) -> str:
    """Return the mark of a fact's value; empty where the name says everything."""
    return "" if value is None else "#" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:6]


def lines_of(package: str) -> dict[str, dict[str, str]]:
    """Return the lines of a package's types, as they are written."""
    return {token: dict(row) for token, row in table_of(PROVENANCE / f"{package}.json").items() if token != META}


def check(token: str, lines: Lines) -> Provenance:
    """Hold the lines of a type to its facts and to the installed SDK."""
    facts, stated = facts_in(token), stated_by_sdk(token)
    without = {name: _wrong(lines.get(name, ""), digest(value), stated.get(name)) for name, value in facts.items()}
    wrong = {name: why for name, why in without.items() if why}
    sourced = len(facts) - len(wrong)
    wrong |= dict.fromkeys(lines.keys() - facts.keys(), "a line, but the table has no such fact")
    unverified = tuple(f"{token} {name}" for name in facts if name not in stated and is_unverified(token, name))
    told = tuple(sorted(f"{token} {name}: {why}" for name, why in wrong.items()))
    return Provenance(len(facts), sourced, len(stated), unverified, told)


def _wrong(line: str, mark: str, stated: str | None) -> str:
    """Return why a line does not give a fact's provenance; empty when it does."""
    references = _references(line)
    marks = [one for one in references if DIGEST.fullmatch(one)]
    places = [one for one in references if SDK_PLACE.fullmatch(one)]
    if not references:
        return "no line says where it comes from: `python -m rehearsal.tables.provenance`, or write one by hand"
    if marks != ([mark] if mark else []):
        return f"its value is another than its line was written for ({' '.join(marks) or 'no digest'}, now {mark})"
    if places != ([stated] if stated else []):
        return f"the installed SDK says it in {stated or 'no line'}, not in {' '.join(places) or 'none'}"
    for one in references:
        if not (one in NAMED or one in marks or one in places) and len(one) < SHORTEST_REASON:
            return f"'{one}' is no reference: write source, bridge, lifecycle or a reason in words"
    return "" if len(references) > len(marks) else "its line holds a digest only"


def _references(line: str) -> list[str]:
    return [one for one in line.split("; ") if one]


def is_unverified(token: str, name: str) -> bool:
    """Whether the table marks a fact as one that nobody read in the provider's source."""
    marked = rows_of(token.partition(":")[0])[token].get("unverified", ())
    key, _, path = name.partition(" ")
    return any(one in (key, path, f"{key}.{path}") or path.startswith((f"{one}.", f"{one}[")) for one in marked)


def renewed(token: str, lines: Lines) -> dict[str, str]:
    """Return the lines of a type with what the SDK says now, and what was given by hand for the same value."""
    stated, found = stated_by_sdk(token), {}
    for name, value in facts_in(token).items():
        references, mark = _references(lines.get(name, "")), digest(value)
        marks = [one for one in references if DIGEST.fullmatch(one)]
        by_hand = [one for one in references if not DIGEST.fullmatch(one) and not SDK_PLACE.fullmatch(one)]
        given = [*([stated[name]] if name in stated else []), *(by_hand if marks in ([], [mark]) else [])]
        if given:
            found[name] = "; ".join([*given, *([mark] if mark else [])])
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write the lines anew and list the facts without one; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.tables.provenance", description="a line for each fact")
    parser.add_argument("types", nargs="*", help="further types, for example gcp:dns/managedZone:ManagedZone")
    named: list[str] = parser.parse_args(arguments).types
    without = 0
    for package in PACKAGES:
        written = lines_of(package)
        written |= {token: {} for token in named if token.startswith(f"{package}:") and token not in written}
        lines = {token: renewed(token, written[token]) for token in sorted(written)}
        path = PROVENANCE / f"{package}.json"
        path.write_text(json.dumps({META: table_of(path)[META], **lines}, indent=1) + "\n", encoding="utf-8")
        for token, of_type in lines.items():
            missing = facts_in(token).keys() - of_type.keys()
            without += len(missing)
            sys.stdout.writelines(f"without a line: {token} {name}\n" for name in sorted(missing))
    return 1 if without else 0


if __name__ == "__main__":
    sys.exit(main())
