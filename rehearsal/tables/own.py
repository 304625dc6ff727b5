"""Tables of one's own: how other programs' resource types are described, and what is wrong with such a table.

A folder holds one file a package, `hcloud.json` for `hcloud`: an object of type tokens, each with the keys of
`facts.TypeFacts`, and with `made`, how the fake cloud makes one (`objects.ObjectRule`). Names and types of its
properties stand in the row as `properties` (`{"inputs": …, "outputs": …}`, in the grammar of `extract.py`), or are read
from the installed SDK into `properties/hcloud.json` by `python -m rehearsal.tables.extract --tables FOLDER`. `_meta`
holds what is said of the whole package, the keys of `PackageMeta`; `lifecycle.json` has the keys of `facts.Lifecycle`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rehearsal.tables.facts import LIFECYCLE, META, Lifecycle, TypeFacts, tables_in
from rehearsal.tables.shapes import Kind, Shape, parse_shape

Model = TypeVar("Model", bound=BaseModel)


class TablesError(ValueError):
    """A table of one's own cannot be used: which file, where in it, what is wrong, and what to write instead."""


class PackageMeta(BaseModel):
    """What a table says of its whole package; whatever else is written there is for readers.

    `config`: the provider's settings and their types. `objects`: nested types by name. `functions`: the answer of each
    data source. `zero_is_unset`: whether the provider takes a zero value for an unset one. `sdk`: the Python package.
    """

    model_config = ConfigDict(extra="allow")

    sdk: str = ""
    config: dict[str, str] = {}
    objects: dict[str, dict[str, str]] = {}
    functions: dict[str, dict[str, Any]] = {}
    zero_is_unset: bool = False


def check_own(folder: Path) -> None:
    """Raise `TablesError` for the first thing that is wrong with the tables of a folder."""
    if not folder.is_dir():
        raise TablesError(f"{folder} is no folder: name the one that holds <package>.json, or leave `tables` out")
    tables = tables_in(folder)
    if not tables:
        raise TablesError(f"{folder} holds no table: write one file a package, for example {folder / 'hcloud.json'}")
    for path in tables:
        _check_table(path)
    lifecycle = folder / LIFECYCLE
    for token, row in _read(lifecycle).items() if lifecycle.exists() else ():
        _valid(Lifecycle, row, lifecycle, token)


def _check_table(path: Path) -> None:
    table, extracted = _read(path), path.parent / "properties" / path.name
    meta = _valid(PackageMeta, table.get(META, {}), path, META)
    known: dict[str, Any] = _read(extracted) if extracted.exists() else {}
    objects = {**known.get("objects", {}), **meta.objects}
    for name, fields in {**meta.objects, "config": meta.config}.items():
        _check_fields(fields, objects, path, f"{META} › {name}")
    for token, row in table.items():
        if token == META:
            continue
        if token.count(":") != 2 or token.partition(":")[0] != path.stem:
            raise _wrong(path, token, f"is no type token of this package: write {path.stem}:module/type:Type")
        facts = _valid(TypeFacts, row, path, token)
        if facts.made is None:
            raise _wrong(
                path, token, 'does not say how the fake cloud makes one: write for example "made": {"id": "{uuid}"}'
            )
        properties = facts.properties or known.get("resources", {}).get(token)
        if not properties:
            remedy = f"write `properties`, or run `python -m rehearsal.tables.extract --tables {path.parent}`"
            raise _wrong(path, token, f"has no names and types of its properties: {remedy}")
        _check_type(facts, properties, objects, path, token)


def _check_type(
    facts: TypeFacts, properties: dict[str, dict[str, str]], objects: dict[str, Any], path: Path, token: str
) -> None:
    """Hold the facts to the properties that they name."""
    inputs, outputs = properties.get("inputs", {}), properties.get("outputs", {})
    _check_fields(inputs | outputs, objects, path, token)
    for key in ("required", "replace", "optional_computed", "write_only"):
        for named in getattr(facts, key):
            if named.partition(".")[0].removesuffix("[]") not in inputs:
                raise _wrong(path, f"{token} › {key}", f"names '{named}', which is no input: {_list(inputs)}")
    for key, given in (("computed", facts.computed), ("made › outputs", facts.made.outputs if facts.made else {})):
        for named in given:
            if named.partition(".")[0].removesuffix("[]") not in inputs | outputs:
                raise _wrong(
                    path, f"{token} › {key}", f"names '{named}', which is no property: {_list(inputs | outputs)}"
                )


def _check_fields(fields: dict[str, str], objects: dict[str, Any], path: Path, where: str) -> None:
    for name, text in fields.items():
        try:
            shape: Shape | None = parse_shape(text, path.stem)
        except (ValueError, IndexError):
            kinds = ", ".join(Kind)
            words = f"'{text}' is no type: write one of {kinds}, or [type], {{type}}, #Name; ! at its end if required"
            raise _wrong(path, f"{where} › {name}", words) from None
        while shape is not None and shape.element is not None:
            shape = shape.element
        if shape is not None and shape.kind is Kind.OBJECT and shape.reference not in objects:
            raise _wrong(
                path, f"{where} › {name}", f"'#{shape.reference}' stands in no `objects` of {META}: {_list(objects)}"
            )


def _list(names: dict[str, Any]) -> str:
    return f"there are {', '.join(sorted(names))}" if names else "there are none"


def _read(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise TablesError(f"{path} is no JSON: {error}") from None
    if not isinstance(table, dict):
        raise TablesError(f"{path} is a JSON {type(table).__name__}: write an object of type tokens")
    return table


def _valid(model: type[Model], row: Any, path: Path, where: str) -> Model:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        place = " › ".join([where, *map(str, first["loc"])])
        known = ", ".join(sorted(field.alias or name for name, field in model.model_fields.items()))
        remedy = f": the keys are {known}" if first["type"] == "extra_forbidden" and len(first["loc"]) == 1 else ""
        raise _wrong(path, place, f"{first['msg']}{remedy}") from None


def _wrong(path: Path, where: str, what: str) -> TablesError:
    return TablesError(f"{path} › {where}: {what}")
