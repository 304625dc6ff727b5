"""The worksheet of a recovery: what a person looks up, since nobody can compute it. A JSON list, one row a resource.

`id` empty: not looked up yet; null: it is not there, the next `up` makes it. `values`, where empty, are what no cloud
tells again: null for them says that they are lost, and that the next `up` makes the resource anew. Where null from the
beginning, the cloud tells them. The file holds secrets once it is filled in.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dreamseed.catalog.lookups import ID, LOOKUPS, Lookup, filled
from dreamseed.errors import DreamSeedError
from rehearsal.providers.wire import UNKNOWN_TEXT
from rehearsal.runner.recovery import Creation, Identity

NONE = "none"
"""The id of every random password (random 3.9)."""
RANDOM_ID = "random:index/randomId:RandomId"


class WorksheetError(DreamSeedError):
    """A worksheet that cannot be read."""


class Row(BaseModel):
    """One resource; see the module."""

    model_config = ConfigDict(extra="forbid")

    urn: str
    look_up: str
    id: str | None = ""
    values: dict[str, str | None] = {}

    @property
    def open(self) -> bool:
        """Whether something is still to be filled in."""
        return self.id == "" or (self.id is not None and "" in self.values.values())

    @property
    def told(self) -> dict[str, str]:
        """Return the values that were given."""
        return {name: value for name, value in self.values.items() if value}


ROWS = TypeAdapter(list[Row])


@dataclass
class Worksheet:
    """The rows by URN, and the ids that a copy of the state knows."""

    rows: dict[str, Row]
    ids: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, ids: Mapping[str, str]) -> Worksheet:
        """Return the worksheet of a file, an empty one where there is none; raises `WorksheetError`."""
        try:
            rows = ROWS.validate_json(path.read_bytes()) if path.exists() else []
        except OSError as error:
            raise _refused(path, "", str(error)) from error
        except ValidationError as error:
            fault = error.errors()[0]
            place = "".join(f" › {part}" for part in fault["loc"])
            raise _refused(path, place, fault["msg"]) from error
        return cls({row.urn: row for row in rows}, ids)

    def write(self, path: Path) -> None:
        """Write the rows, for nobody else to read: they take secrets."""
        text = json.dumps([row.model_dump() for row in self.rows.values()], indent=2, ensure_ascii=False) + "\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def identify(self, creation: Creation) -> Identity | None:
        """Return what the creation's row, or the copy, says; None where nobody knows, or nothing is there."""
        lookup = LOOKUPS.get(creation.type)
        if lookup is None:
            return None
        row = self.rows.get(creation.urn) or self._row(creation, lookup, "")
        if not row.id or not set(lookup.told) <= row.told.keys():
            return None
        whole = filled(lookup.form, {**_known(creation), ID: row.id})
        if whole is None:
            return None
        given_whole = row.id.startswith(whole.removesuffix(row.id))
        return _identity(creation.type, lookup, row.id if given_whole else whole, row.told)

    def add(self, creations: Iterable[Creation]) -> None:
        """Add rows for what nobody could identify, where it can be said how it is looked up."""
        for creation in creations:
            lookup = LOOKUPS.get(creation.type)
            line = filled(lookup.how, _known(creation)) if lookup else None
            if lookup is None or line is None or creation.urn in self.rows:
                continue
            self.rows[creation.urn] = self._row(creation, lookup, line)

    def _row(self, creation: Creation, lookup: Lookup, line: str) -> Row:
        values: dict[str, str | None] = {**dict.fromkeys(lookup.told, ""), **dict.fromkeys(lookup.read)}
        if lookup.made_anew:
            return Row(urn=creation.urn, look_up=f"{lookup.made_anew}: delete it by hand", id=None)
        id_ = NONE if lookup.form == NONE else self.ids.get(creation.urn, "")
        return Row(urn=creation.urn, look_up=line, id=id_, values=values)


def _refused(path: Path, place: str, what: str) -> WorksheetError:
    return WorksheetError(
        f"{path.name}{place}",
        what,
        "it is the list of rows that this command wrote, with texts or null in id and values",
        f"the row as it was, or nothing: rm {path}, and run the command again",
    )


def _identity(token: str, lookup: Lookup, id_: str, told: Mapping[str, str]) -> Identity:
    """Return an identity with what was told of it."""
    if token == RANDOM_ID:
        return Identity(_base64(told["hex"]), public=_forms(told["hex"]))
    return Identity(id_, secrets=dict(told)) if lookup.secret else Identity(id_, public=dict(told))


def _known(creation: Creation) -> dict[str, Any]:
    """Return what is known of a creation's inputs, over its provider's configuration."""
    return {k: v for k, v in {**creation.config, **creation.inputs}.items() if v != UNKNOWN_TEXT}


def _base64(digits: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digits)).decode().rstrip("=")


def _forms(digits: str) -> dict[str, str]:
    """Return all forms of a random id; source: hashicorp/terraform-provider-random, resource_id.go."""
    drawn = bytes.fromhex(digits)
    return {
        "hex": digits,
        "b64Url": _base64(digits),
        "b64Std": base64.b64encode(drawn).decode(),
        "dec": str(int.from_bytes(drawn, "big")),
    }
