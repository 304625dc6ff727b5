"""How the fake cloud names its objects and what it computes for them: the form of the rules.

A template holds `{…}` placeholders: a property path (`{name}`, `{account.id}`), `{base:path}` for the last part
of a link, `{id}`, `{count}` (how often this resource was made), `{project_number}`, `{repository}` and `{digest}` of
a docker image, and what is drawn: `{hex:N}`, `{number:N}`, `{uuid}`, `{octet}`, `{port}`. It is drawn from a digest
of the resource's URN and its count (or of `seed`), so that a rehearsal gives the same values every time; the same
placeholder gives the same value in every template of one resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A template, a constant, or lists and objects of them.
Template = Any
# Every rehearsal happens at the same moment, so that its records can be compared.
TIME = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class ObjectRule:
    """The rule of one type.

    `id`: template of the resource id. `unique`: template of what the real API refuses to have twice; empty when it
    takes duplicates, or when making it again only sets it again (`upsert`). `outputs`: by generic path, what the cloud
    fills in where a plan left it unknown. `guard`: path of a protection that the API itself enforces. `seed`: template
    of what the drawn values follow instead of the URN. `local`: the object lives in the engine's state only.
    """

    id: str
    unique: str = ""
    upsert: bool = False
    outputs: Mapping[str, Template] = field(default_factory=dict)
    guard: str = ""
    seed: str = ""
    local: bool = False


def named(object_id: str, **outputs: Template) -> ObjectRule:
    """An object whose id is its name, refused when it exists already."""
    return ObjectRule(object_id, unique=object_id, outputs=outputs)


def grant(parent: str) -> ObjectRule:
    """One member of one role: granting it again changes nothing."""
    return ObjectRule(f"{parent}/{{role}}/{{member}}", upsert=True)
