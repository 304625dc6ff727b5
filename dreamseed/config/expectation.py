"""What may stand at a place of a stage file, in words, read from the models themselves."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from dreamseed.config.types import Text

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "IPv4Address": "an IPv4 address",
    "IPv4Network": "an IPv4 network such as 10.20.0.0/24",
    "date": "a date, YYYY-MM-DD",
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a place may hold.

    `kind` says it in short, `str()` with bounds; `description` is the field's; `keys` are those of the section
    that holds the place, for a key that it does not know.
    """

    kind: str
    bounds: str
    optional: bool
    description: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        words = (self.kind, self.bounds, "or null" if self.optional else "")
        return " ".join(filter(None, words)).replace(" ,", ",")


def find(model: type[BaseModel], location: Sequence[int | str]) -> Expectation:
    """Return what `model` expects at `location`, a path of keys and of positions in lists."""
    annotation: Any = model
    metadata: tuple[Any, ...] = ()
    description = ""
    keys: tuple[str, ...] = ()
    for part in location:
        annotation, _ = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            keys = tuple(annotation.model_fields)
            field = annotation.model_fields.get(str(part))
            if field is None:
                return Expectation("", "", False, "", keys)
            annotation, metadata = field.annotation, tuple(field.metadata)
            description = field.description or _summary(annotation)
        else:
            annotation = typing.get_args(annotation)[-1 if _is_mapping(annotation) else 0]
            metadata = ()
    bare, inner = _bare(annotation)
    items = (*inner, *metadata)
    optional = types.NoneType in typing.get_args(annotation)
    return Expectation(_kind(bare, items), _bounds(bare, items), optional, description, keys)


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return `annotation` without null and without metadata, and that metadata."""
    metadata: tuple[Any, ...] = ()
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next(part for part in typing.get_args(annotation) if part is not types.NoneType)
    if typing.get_origin(annotation) is typing.Annotated:
        metadata = tuple(annotation.__metadata__)
        annotation = typing.get_args(annotation)[0]
    return annotation, metadata


def _is_mapping(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _summary(annotation: Any) -> str:
    """Return the first sentence of a section's description."""
    bare, _ = _bare(annotation)
    sentence = (bare.__doc__ or "").strip().partition(".")[0]
    return sentence[:1].lower() + sentence[1:]


def _kind(annotation: Any, metadata: Iterable[Any]) -> str:
    for item in metadata:
        if isinstance(item, Text):
            return item.what
    if _is_section(annotation) or _is_mapping(annotation):
        return "a mapping"
    if typing.get_origin(annotation) is tuple:
        return "a list"
    if issubclass(annotation, StrEnum):
        return "one of " + ", ".join(member.value for member in annotation)
    return _WORDS[annotation.__name__]


def _bounds(annotation: Any, metadata: Iterable[Any]) -> str:
    """Return what `annotation` must hold, or the range or length that all of `metadata` leaves, in words."""
    if _is_section(annotation):
        return "with " + ", ".join(annotation.model_fields)
    limits = " ".join(filter(None, (_range(metadata), _length(annotation, metadata))))
    if _is_mapping(annotation) or typing.get_origin(annotation) is tuple:
        bare, inner = _bare(typing.get_args(annotation)[-1 if _is_mapping(annotation) else 0])
        return f"{limits}, each entry {_kind(bare, inner)} {_bounds(bare, inner)}".rstrip()
    return limits


def _range(metadata: Iterable[Any]) -> str:
    least, above = _all(metadata, "ge", "least"), _all(metadata, "gt", "above")
    most = _all(metadata, "le", "most")
    upper = _figure(min(most)) if most else ""
    if least and (not above or max(least) > max(above)):
        return f"from {_figure(max(least))}{f' to {upper}' if upper else ' on'}"
    if above:
        return f"above {_figure(max(above))}{f' and up to {upper}' if upper else ''}"
    return ""


def _length(annotation: Any, metadata: Iterable[Any]) -> str:
    shortest, longest = _all(metadata, "min_length"), _all(metadata, "max_length")
    if shortest and longest:
        return f"of {max(shortest)} to {min(longest)} entries"
    if shortest:
        return f"of at least {max(shortest)} {'characters' if annotation is str else 'entry'}"
    return ""


def _all(metadata: Iterable[Any], *names: str) -> list[Any]:
    found = (getattr(item, name, None) for item in metadata for name in names)
    return [value for value in found if value is not None]


def _figure(value: float) -> str:
    return f"{value:,.10g}"
