"""Names and types of a resource type's properties, read from `properties/*.json` (see `extract.py` for the grammar)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from rehearsal.tables.facts import PROPERTIES, UnknownTypeError, facts_for, meta_of, own_folders, rows_of, table_of


class Kind(StrEnum):
    """The kinds of value that a property can hold."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ANY = "any"
    ASSET = "asset"
    ARRAY = "array"
    MAP = "map"
    OBJECT = "object"


@dataclass(frozen=True)
class Shape:
    """The type of a property: `element` of an array or map, `package` and `reference` of an object."""

    kind: Kind
    required: bool = False
    element: Shape | None = None
    package: str = ""
    reference: str = ""

    @property
    def fields(self) -> Mapping[str, Shape]:
        """The properties of an object; empty for every other kind."""
        return _object(self.package, self.reference) if self.kind is Kind.OBJECT else {}


@dataclass(frozen=True)
class ResourceShape:
    """What a resource type accepts (`inputs`) and what only the provider knows (`outputs`)."""

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


@cache
def _raw(package: str) -> dict[str, dict[str, Any]]:
    """Sections `config`, `resources` and `objects`: extracted ones, and over them what tables of one's own say."""
    merged: dict[str, dict[str, Any]] = {"config": {}, "resources": {}, "objects": {}}
    meta, rows = meta_of(package), rows_of(package)
    written = {token: row["properties"] for token, row in rows.items() if "properties" in row}
    own = {"config": meta.get("config", {}), "objects": meta.get("objects", {}), "resources": written}
    files = [folder / f"{package}.json" for folder in (PROPERTIES, *(own / "properties" for own in own_folders()))]
    for tables in (*map(table_of, files), own):
        for section in merged:
            merged[section] |= tables.get(section, {})
    return merged


def parse_shape(text: str, package: str) -> Shape:
    """One type in the grammar of `extract.py`, for example `[#cloudrunv2.ServiceTrafficArgs]!`."""
    required, text = text.endswith("!"), text.removesuffix("!")
    if text[0] in "[{":
        kind = Kind.ARRAY if text[0] == "[" else Kind.MAP
        return Shape(kind, required, element=parse_shape(text[1:-1], package))
    if text[0] == "#":
        return Shape(Kind.OBJECT, required, package=package, reference=text[1:])
    return Shape(Kind(text), required)


def _fields(rows: Mapping[str, str], package: str) -> dict[str, Shape]:
    return {name: parse_shape(text, package) for name, text in rows.items()}


@cache
def _object(package: str, reference: str) -> Mapping[str, Shape]:
    return _fields(_raw(package)["objects"][reference], package)


@cache
def config_shape(package: str) -> Mapping[str, Shape]:
    """The configuration keys of a package's provider."""
    return _fields(_raw(package)["config"], package)


@cache
def resource_shape(token: str) -> ResourceShape:
    """Inputs and outputs of a type; raises `UnknownTypeError` when it has no facts or was not extracted."""
    facts_for(token)
    package = token.partition(":")[0]
    row = _raw(package)["resources"].get(token)
    if row is None:
        raise UnknownTypeError(f"{token} has facts but no property names: run `python -m rehearsal.tables.extract`")
    return ResourceShape(_fields(row["inputs"], package), _fields(row["outputs"], package))
