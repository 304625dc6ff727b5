"""What is known of a resource type's behaviour: the tables beside this module, read once and on demand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
def _raw(package: str) -> dict[str, dict[str, Any]]:
    """All tables of a package: `<package>.json` and, for types read from the documentation, `<package>_docs.json`."""
    merged: dict[str, dict[str, Any]] = {}
    for file in (TABLES / f"{package}.json", TABLES / f"{package}_docs.json"):
        if file.exists():
            merged |= {k: v for k, v in json.loads(file.read_text("utf-8")).items() if k != "_meta"}
    return merged


@cache
def _lifecycles() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads((TABLES / "lifecycle.json").read_text("utf-8"))
    return loaded


def tokens_with_facts(package: str) -> set[str]:
    """The type tokens of a package that have a table."""
    return set(_raw(package))


@cache
def facts_for(token: str) -> TypeFacts:
    """The facts of one type token; raises `UnknownTypeError` naming the file to add it to."""
    package = token.partition(":")[0]
    row = _raw(package).get(token)
    if row is None:
        raise UnknownTypeError(
            f"no table describes {token}: add it to rehearsal/tables/{package}_docs.json (which inputs replace, "
            "which are computed, with their source), then run `python -m rehearsal.tables.extract`"
        )
    return TypeFacts.model_validate(row)


@cache
def lifecycle_for(token: str) -> Lifecycle:
    """How a type lives and dies where that is out of the ordinary; empty for most."""
    return Lifecycle.model_validate(_lifecycles().get(token, {}))
