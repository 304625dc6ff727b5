"""Fills in what a plan left unknown, each value of the type that its property has."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from rehearsal.providers.paths import at_key, find, segments
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import UNKNOWN, Secret, Value, Values, plain, revealed
from rehearsal.tables.objects import ObjectRule, Template
from rehearsal.tables.shapes import Kind, ResourceShape, Shape

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
FIRST_EPHEMERAL_PORT = 32768
# Where an object lives follows these settings of the provider when the resource does not say.
PLACES = ("project", "region", "zone")
EMPTY: Mapping[Kind, Value] = {Kind.ARRAY: [], Kind.MAP: {}, Kind.BOOLEAN: False, Kind.STRING: "", Kind.OBJECT: None}


def project_number(project: str) -> str:
    """The number of a project: twelve digits that follow from its id."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11))


class Draw:
    """Draws that follow from a seed; `count` is how often the resource was made."""

    def __init__(self, seed: str, count: int) -> None:
        self.seed = seed
        self.count = count

    def _number(self, label: str) -> int:
        return int(hashlib.sha512(f"{self.seed}/{label}".encode()).hexdigest(), 16)

    def __call__(self, placeholder: str, occurrence: int) -> str | None:
        """The drawn text of a placeholder, or None when it is not a drawn one."""
        name, _, size = placeholder.partition(":")
        number = self._number(f"{placeholder}/{occurrence}")
        match name:
            case "hex":
                return f"{number:0128x}"[: int(size)]
            case "number":
                return str(10 ** (int(size) - 1) + number % (9 * 10 ** (int(size) - 1)))
            case "uuid":
                return str(uuid.UUID(int=number % 2**128, version=4))
            case "octet":
                return str(number % 253 + 2)
            case "port":
                return str(FIRST_EPHEMERAL_PORT + number % 28000)
            case "count":
                return str(self.count)
            case _:
                return None


class Filler:
    """Renders one resource's templates and fills its plan."""

    def __init__(self, rule: ObjectRule, common: Mapping[str, Template], planned: Values, draw: Draw) -> None:
        self.rule = rule
        self.common = common
        self.values = planned
        self.draw = draw
        self.id = ""

    def text(self, template: str, *, needed: bool = False, sealed: bool = False) -> str:
        """A template as text; when `needed`, a project or place that nobody has set is refused.

        When `sealed`, a digest stands for each secret value in it.
        """
        seen: dict[str, int] = {}

        def value(match: re.Match[str]) -> str:
            placeholder = match.group(1)
            occurrence = seen[placeholder] = seen.get(placeholder, 0) + 1
            drawn = self.draw(placeholder, occurrence)
            found = self._special(placeholder) if drawn is None else drawn
            found = self._property(placeholder, sealed=sealed) if found is None else found
            if needed and not found and placeholder.removeprefix("base:") in PLACES:
                raise RefusedError(
                    f"{placeholder}: required field is not set: set it on the resource or on its provider"
                )
            return found

        return PLACEHOLDER.sub(value, template)

    def _property(self, placeholder: str, *, sealed: bool = False) -> str:
        is_link = placeholder.startswith("base:")
        for _, value in find(self.values, segments(placeholder.removeprefix("base:"))):
            bare = revealed(value)
            if sealed and isinstance(value, Secret):
                return f"secret {hashlib.sha256(str(bare).encode()).hexdigest()[:16]}"
            if isinstance(bare, str | int):
                return str(bare).rsplit("/", 1)[-1] if is_link else str(bare)
        return ""

    def _special(self, placeholder: str) -> str | None:
        if placeholder == "id":
            return self.id
        if placeholder == "project_number":
            return project_number(self._property("project"))
        if placeholder == "repository":
            return re.sub(r"(:[\w.-]+)?(@sha256:\w+)?$", "", self._property("name"))
        if placeholder == "digest":
            _, _, digest = self._property("name").partition("@sha256:")
            return digest or self.draw("hex:64", 1)
        return None

    def rendered(self, template: Template, shape: Shape | None = None) -> Value:
        """A template of any form as a value of the property's type."""
        if isinstance(template, list):
            return [self.rendered(item, shape.element if shape else None) for item in template]
        if isinstance(template, dict):
            return {key: self.rendered(item) for key, item in template.items()}
        value: Any = self.text(template) if isinstance(template, str) else template
        if shape is not None and shape.kind is Kind.STRING:
            return str(value)
        return int(value) if shape is not None and shape.kind in {Kind.INTEGER, Kind.NUMBER} else value

    def fill(self, shape: ResourceShape) -> Values:
        """Every unknown replaced; what would be an empty object is left out."""
        for key, field in {**shape.inputs, **shape.outputs}.items():
            if key in self.values:
                self.values = self.values | {key: self._filled(self.values[key], field, key, key)}
        return {key: value for key, value in self.values.items() if plain(value) is not None}

    def _filled(self, value: Value, shape: Shape, path: str, concrete: str) -> Value:
        if isinstance(value, Secret):
            inner = self._filled(value.value, shape, path, concrete)
            return None if inner is None else Secret(inner)
        if value is UNKNOWN:
            return self._made_up(shape, path)
        if isinstance(value, list) and shape.element is not None:
            items = enumerate(value)
            return [self._filled(item, shape.element, f"{path}[]", f"{concrete}[{i}]") for i, item in items]
        if isinstance(value, dict):
            filled = {}
            for key, item in value.items():
                field = shape.fields.get(key) if shape.kind is Kind.OBJECT else shape.element
                inner = f"{path}.{key}" if shape.kind is Kind.OBJECT else f"{path}.*"
                filled[key] = item if field is None else self._filled(item, field, inner, at_key(concrete, key))
            return {key: item for key, item in filled.items() if plain(item) is not None}
        return value

    def _made_up(self, shape: Shape, path: str) -> Value:
        template = self.rule.outputs.get(path, self.common.get(path))
        return EMPTY.get(shape.kind, 0) if template is None else self.rendered(template, shape)
