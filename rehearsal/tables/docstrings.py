"""What the installed SDKs say of a type's properties, and in which line.

Namely what is required, what replaces, what is secret, which values are possible and which one is the default. The
SDKs are parsed, never imported. Where one is silent, it proves nothing.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
DEFAULT = re.compile(
    r"\b[Dd]efaults? (?:value )?(?:is|to):? ?(?:`\"?([^`\"]*)\"?`|\"([^\"]*)\"|(true|false|[A-Z_]{2,}|\d+(?:\.\d+)?)\b)"
)
QUOTED = re.compile(r"[`'\"]+([\w-]+)[`'\"]+")
WRITE_ONLY = re.compile(r"write-?only", re.IGNORECASE)
DEEPEST = 12
"""So many levels of blocks are read: a few types contain themselves."""


@dataclass(frozen=True)
class Note:
    """What an SDK says of one input.

    `replaces`: a change replaces. `values`: the possible ones. `default`: as text, None when none is named.
    `quoted`: everything in quotes. `required`: its type has no None.
    `place`: file in the SDK and line of the getter, `compute/address.py:120`.
    """

    replaces: bool
    values: frozenset[str]
    default: str | None = None
    quoted: frozenset[str] = frozenset()
    write_only: bool = False
    required: bool = False
    place: str = ""


def read_note(text: str) -> Note:
    """Return what a docstring says."""
    text = " ".join(text.split())
    values, default = VALUES.search(text), DEFAULT.search(text)
    return Note(
        replaces=bool(REPLACES.search(text)),
        values=frozenset(re.findall(r"`\"?([^`\"]+)\"?`", values[1])) if values else frozenset(),
        default=next((found for found in default.groups() if found is not None), None) if default else None,
        quoted=frozenset(QUOTED.findall(text)),
        write_only=bool(WRITE_ONLY.search(text)),
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
    package, file = token.partition(":")[0], _file(token, tokens)
    arguments = classes_of(file)[f"{token.rpartition(':')[2]}Args"]
    return dict(_walk(package, arguments, file, resource_shape(token).inputs, ""))


def outputs_of(token: str, tokens: frozenset[str]) -> dict[str, str]:
    """Return the place of each property that only the provider knows."""
    file, outputs = _file(token, tokens), resource_shape(token).outputs
    getters = getters_of(classes_of(file)[token.rpartition(":")[2]])
    return {name: _place(token.partition(":")[0], file, node) for name, node in getters if name in outputs}


def secrets_of(token: str, tokens: frozenset[str]) -> dict[str, str]:
    """Return the place of each property that the SDK keeps secret in the state, whatever the program says."""
    file = _file(token, tokens)
    return {
        str(name.value): _place(token.partition(":")[0], file, node)
        for node in ast.walk(classes_of(file)[token.rpartition(":")[2]])
        if isinstance(node, ast.keyword)
        and node.arg == "additional_secret_outputs"
        and isinstance(node.value, ast.List)
        for name in node.value.elts
        if isinstance(name, ast.Constant)
    }


def _file(token: str, tokens: frozenset[str]) -> Path:
    return _sources(token.partition(":")[0], tokens)[token]


def _place(package: str, file: Path, node: ast.FunctionDef | ast.keyword) -> str:
    return f"{file.relative_to(_folder(package)).as_posix()}:{node.lineno}"


def _walk(
    package: str, cls: ast.ClassDef, file: Path, fields: Mapping[str, Shape], above: str
) -> Iterator[tuple[str, Note]]:
    getters = dict(getters_of(cls))
    for name, shape in fields.items():
        path = f"{above}.{name}" if above else name
        getter = getters[name]
        note = read_note(ast.get_docstring(getter) or "")
        yield path, replace(note, required=shape.required, place=_place(package, file, getter))
        inner = shape
        while inner.element is not None:
            path += "[]" if inner.kind is Kind.ARRAY else ".*"
            inner = inner.element
        if inner.kind is Kind.OBJECT and path.count(".") + path.count("[]") < DEEPEST:
            module, _, wanted = inner.reference.rpartition(".")
            inputs = _folder(package) / module / "_inputs.py"
            yield from _walk(package, classes_of(inputs)[wanted], inputs, inner.fields, path)
