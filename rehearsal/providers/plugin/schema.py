"""What a plugin's own schema says of the types of properties, as far as made-up values need it.

Source of the form: pulumi 3.259.0, pkg/codegen/schema/schema.go (PackageSpec), read 2026-11-27.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.providers.values import Value
from rehearsal.tables.shapes import Kind

LOCAL = "#/types/"
ASSETS = {"pulumi.json#/Archive", "pulumi.json#/Asset"}
JSON = "pulumi.json#/Json"
# What makes a schema large and says nothing of types.
PROSE = ("description", "deprecationMessage")


@dataclass(frozen=True)
class Typed:
    """The type of a property: `element` of an array or map, `fields` of an object, `first` of an enumeration."""

    kind: Kind
    schema: PluginSchema
    element_row: Mapping[str, Any] | None = None
    fields_row: Mapping[str, Any] | None = None
    first: Value = None

    @property
    def element(self) -> Typed | None:
        """The type of what an array or a map holds."""
        return None if self.element_row is None else self.schema.typed(self.element_row)

    @property
    def fields(self) -> Mapping[str, Typed]:
        """The properties of an object."""
        return {name: self.schema.typed(row) for name, row in (self.fields_row or {}).items()}


class PluginSchema:
    """A package's types and resources, without their prose."""

    def __init__(self, text: str) -> None:
        """Raises ValueError when the text is no schema."""
        schema = json.loads(text, object_hook=_without_prose)
        if not isinstance(schema, dict):
            raise ValueError("a schema is a JSON object")
        self._types: Mapping[str, Any] = schema.get("types") or {}
        self._resources: Mapping[str, Any] = schema.get("resources") or {}

    def outputs(self, token: str) -> Mapping[str, Typed]:
        """The properties of a resource's state; empty for a type that the plugin does not have."""
        rows = self._resources.get(token, {})
        return {name: self.typed(row) for name, row in {**rows.get("inputProperties", {}), **_properties(rows)}.items()}

    def typed(self, row: Mapping[str, Any]) -> Typed:
        """The type that a row of the schema names."""
        if "oneOf" in row:
            return self.typed(row["oneOf"][0])
        if "$ref" in row:
            return self._referred(str(row["$ref"]))
        kind = row.get("type", "")
        if kind == "array":
            return Typed(Kind.ARRAY, self, element_row=row.get("items"))
        if kind == "object":
            return Typed(Kind.MAP, self, element_row=row.get("additionalProperties") or {"type": "string"})
        return Typed(Kind(kind) if kind in set(Kind) else Kind.ANY, self)

    def _referred(self, reference: str) -> Typed:
        if reference in ASSETS:
            return Typed(Kind.ASSET, self)
        if reference == JSON:
            return Typed(Kind.STRING, self, first="{}")
        row = self._types.get(reference.removeprefix(LOCAL).replace("%2F", "/"))
        if row is None:
            return Typed(Kind.ANY, self)
        if row.get("enum"):
            return Typed(Kind(row.get("type", "string")), self, first=row["enum"][0].get("value"))
        if row.get("type", "object") == "object":
            return Typed(Kind.OBJECT, self, fields_row=_properties(row))
        return self.typed(row)


def _properties(row: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = row.get("properties") or {}
    return properties


def _without_prose(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out texts; a property that is called so is an object, and stays."""
    return {key: value for key, value in row.items() if key not in PROSE or not isinstance(value, str)}
