"""What is known of a resource type's behaviour: the tables beside this module, read once and on demand.

Who rehearses another project adds tables of their own (`own.py`): `REHEARSAL_TABLES` names their folders.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rehearsal.tables.objects import ObjectRule

OWN_TABLES = "REHEARSAL_TABLES"
"""The variable that names folders of further tables, in the form of PATH; what they say comes before ours."""
LIFECYCLE = "lifecycle.json"
META = "_meta"
TABLES = Path(__file__).parent
PROPERTIES = TABLES / "properties"
PACKAGES = ("cloudflare", "docker", "gcp", "grafana", "random")

Paths = tuple[str, ...]
Scalar = str | int | float | bool
Groups = tuple[Paths, ...]


class UnknownTypeError(Exception):
    """A type, or a function, that no table describes: it must be added, never waved through."""


class TypeFacts(BaseModel):
    """Behaviour of one type; `_meta.keys` of every table explains each key, paths are generic (`a[].b`, `a.*`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    required: Paths = ()
    required_nested: Paths = ()
    replace: Paths = ()
    replace_if: dict[str, str] = {}
    delete_before_replace: bool = False
    autoname: str | None = None
    enums: dict[str, tuple[Scalar, ...]] = {}
    enums_api: dict[str, tuple[Scalar, ...]] = {}
    enums_case_insensitive: Paths = ()
    patterns: dict[str, str] = {}
    ranges: dict[str, tuple[float | None, float | None]] = {}
    formats: dict[str, str] = {}
    defaults: dict[str, Any] = {}
    optional_computed: Paths = ()
    computed: Paths = ()
    secret: Paths = ()
    write_only: Paths = ()
    conflicts: Groups = ()
    exactly_one_of: Groups = ()
    at_least_one_of: Groups = ()
    required_with: Groups = ()
    only_when: dict[str, tuple[str, tuple[Scalar | None, ...]]] = {}
    required_when: dict[str, tuple[str, tuple[Scalar | None, ...]]] = {}
    diff_suppress: dict[str, str] = {}
    plan_modifiers: dict[str, Paths] = {}
    customize_diff: Paths = ()
    noop_update: Paths = ()
    deletion_protection: str | None = None
    unverified: Paths = ()
    notes: str = ""
    source: str = Field(alias="_source")
    # What a table of one's own says in the same place; ours have files of their own for it.
    properties: dict[str, dict[str, str]] = {}
    made: ObjectRule | None = None


class Lifecycle(BaseModel):
    """What the notes of a table say in prose and the rehearsal acts on; see `lifecycle.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delete_keeps: bool | str | dict[str, tuple[Scalar | None, ...]] = False
    sets: Paths = ()
    recomputed: dict[str, Paths] = {}
    delete_first_while_same: Paths = ()
    create_refused: dict[str, dict[str, str]] = {}
    source: str = Field(default="", alias="_source")


@cache
def own_folders() -> tuple[Path, ...]:
    """The folders of tables that this process was given beside ours."""
    return tuple(Path(folder) for folder in os.environ.get(OWN_TABLES, "").split(os.pathsep) if folder)


def tables_in(folder: Path) -> list[Path]:
    """The tables in a folder of one's own, one a package."""
    return sorted(path for path in folder.glob("*.json") if path.name != LIFECYCLE)


@cache
def packages() -> tuple[str, ...]:
    """Every package that a table describes: ours, then those of the given folders."""
    return tuple(dict.fromkeys((*PACKAGES, *(path.stem for folder in own_folders() for path in tables_in(folder)))))


@cache
def table_of(path: Path) -> dict[str, dict[str, Any]]:
    """A table as it is written, `_meta` included; empty when there is no such file."""
    table: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return table


@cache
def meta_of(package: str) -> dict[str, Any]:
    """What tables of one's own say of the whole package: its configuration, nested types, data sources."""
    merged: dict[str, Any] = {}
    for folder in own_folders():
        merged |= table_of(folder / f"{package}.json").get(META, {})
    return merged


@cache
def rows_of(package: str) -> dict[str, dict[str, Any]]:
    """Every type of a package: `<package>.json` and, for types read from the documentation, `<package>_docs.json`."""
    merged: dict[str, dict[str, Any]] = {}
    ours = (TABLES / f"{package}.json", TABLES / f"{package}_docs.json")
    for file in (*ours, *(folder / f"{package}.json" for folder in own_folders())):
        merged |= {type_: row for type_, row in table_of(file).items() if type_ != META}
    return merged


@cache
def _lifecycles() -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for folder in (TABLES, *own_folders()):
        merged |= table_of(folder / LIFECYCLE)
    return merged


def tokens_with_facts(package: str) -> set[str]:
    """The type tokens of a package that have a table."""
    return set(rows_of(package))


def _place(package: str) -> str:
    own = own_folders()
    return str(own[-1] / f"{package}.json") if own else f"rehearsal/tables/{package}_docs.json"


@cache
def facts_for(token: str) -> TypeFacts:
    """The facts of one type token; raises `UnknownTypeError` naming the file to add it to."""
    package = token.partition(":")[0]
    row = rows_of(package).get(token)
    if row is None:
        raise UnknownTypeError(
            f"no table describes {token}: add it to {_place(package)} (which inputs replace, which are computed, "
            "with their source), then run `python -m rehearsal.tables.extract`"
        )
    return TypeFacts.model_validate(row)


@cache
def lifecycle_for(token: str) -> Lifecycle:
    """How a type lives and dies where that is out of the ordinary; empty for most."""
    return Lifecycle.model_validate(_lifecycles().get(token, {}))
