"""What the installed SDKs' documentation says of a type's inputs: which replace, and which values are possible.

The SDKs are parsed, never imported. An input about which the documentation is silent has no note.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rehearsal.tables.extract import SDKS, classes_of, getters_of, sources_of
from rehearsal.tables.shapes import Kind, Shape, resource_shape

REPLACES = re.compile(
    r"forces? (a )?(new|replacement)|forces recreation|new (resource|interface) to be created|to be replaced"
    r"|trigger(s)? (a )?replacement|immutable|can ?not be (changed|updated|modified)",
    re.IGNORECASE,
)
VALUES = re.compile(
    r"(?:Possible|Available|Allowed|Valid|Supported) values(?: \w+)?(?: are)?:? "
    r"((?:`[^`]+`(?:, | or | and |, or |, and )?)+)"
)
DEEPEST = 12
"""So many levels of blocks are read: a few types contain themselves."""


@dataclass(frozen=True)
class Note:
    """What the documentation of one input says: whether a change replaces, and the possible values it names."""

    replaces: bool
    values: frozenset[str]


def read_note(text: str) -> Note:
    """Return what a docstring says."""
    text = " ".join(text.split())
    found = VALUES.search(text)
    return Note(
        bool(REPLACES.search(text)), frozenset(re.findall(r"`\"?([^`\"]+)\"?`", found[1])) if found else frozenset()
    )


@cache
def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(SDKS[package])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{SDKS[package]} is not installed: make setup")
    return Path(spec.origin).parent


@cache
def _sources(package: str, tokens: frozenset[str]) -> Mapping[str, Path]:
    return sources_of(_folder(package), set(tokens))


def notes_of(token: str, tokens: frozenset[str]) -> dict[str, Note]:
    """Return the notes of a type's inputs by generic path (`a[].b`, `a.*`); `tokens` are the package's types."""
    package = token.partition(":")[0]
    file = _sources(package, tokens)[token]
    arguments = classes_of(file)[f"{token.rpartition(':')[2]}Args"]
    return dict(_walk(package, arguments, resource_shape(token).inputs, ""))


def _walk(package: str, cls: ast.ClassDef, fields: Mapping[str, Shape], above: str) -> Iterator[tuple[str, Note]]:
    texts = _texts(cls)
    for name, shape in fields.items():
        path = f"{above}.{name}" if above else name
        if name in texts:
            yield path, read_note(texts[name])
        inner = shape
        while inner.element is not None:
            path += "[]" if inner.kind is Kind.ARRAY else ".*"
            inner = inner.element
        if inner.kind is Kind.OBJECT and path.count(".") + path.count("[]") < DEEPEST:
            yield from _walk(package, _object_class(package, inner.reference), inner.fields, path)


def _object_class(package: str, reference: str) -> ast.ClassDef:
    module, _, name = reference.rpartition(".")
    return classes_of(_folder(package) / module / "_inputs.py")[name]


def _texts(cls: ast.ClassDef) -> dict[str, str]:
    """Return the docstrings of a generated class by wire name."""
    found = {}
    for wire_name, getter in getters_of(cls):
        text = ast.get_docstring(getter)
        if text:
            found[wire_name] = text
    return found
