"""Validation errors as sentences: where, what, why and what to write instead."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from dreamseed.errors import ConfigError, ConfigErrors

SEPARATOR = " › "
Location = Sequence[int | str]


def to_config_errors(error: ValidationError, model: type[BaseModel], where: str) -> ConfigErrors:
    """Return `error` of `model` as the list of faults that a user can act on."""
    return ConfigErrors(tuple(_translate(detail, model, where) for detail in error.errors()))


def _translate(detail: ErrorDetails, model: type[BaseModel], where: str) -> ConfigError:
    location = detail["loc"]
    place = SEPARATOR.join([where, *(_step(part) for part in location)])
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "rule":
        place = SEPARATOR.join(filter(None, (place, context["at"])))
        return ConfigError(place, context["what"], context["why"], context["remedy"])
    holder, field = _find(model, location)
    why = f"it says: {field.description}" if field and field.description else "every stage states it"
    if kind == "missing":
        return ConfigError(place, "is missing", why, f"{location[-1]}: {_expected(field)}")
    if kind == "extra_forbidden":
        return ConfigError(place, "is not a key of this section", *_unknown_key(str(location[-1]), holder))
    if kind == "too_short":
        return ConfigError(place, f"has {context['actual_length']} entries", why, f"at least {context['min_length']}")
    if kind == "too_long":
        return ConfigError(place, f"has {context['actual_length']} entries", why, f"at most {context['max_length']}")
    return ConfigError(place, f"{_shown(detail['input'])} is not accepted", why, _expected(field, detail))


def _step(part: int | str) -> str:
    return f"#{part + 1}" if isinstance(part, int) else part


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _unknown_key(key: str, holder: type[BaseModel] | None) -> tuple[str, str]:
    known = sorted(holder.model_fields) if holder else []
    near = difflib.get_close_matches(key, known, n=1)
    return "a key that nothing reads would look as if it worked", near[0] if near else f"one of {', '.join(known)}"


def _find(model: type[BaseModel], location: Location) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """Return the model that holds `location` and the field there, if it is one."""
    holder: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int) or holder is None:
            continue
        field = holder.model_fields.get(part)
        if field is None:
            return holder, None
        inner = _model_of(field.annotation)
        if inner is None or part == location[-1]:
            return holder, field
        holder = inner
    return holder, field


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = _model_of(argument)
        if found is not None:
            return found
    return None


def _expected(field: FieldInfo | None, detail: ErrorDetails | None = None) -> str:
    """Return what may stand there, in words."""
    bounds = _bounds(field, detail)
    annotation = field.annotation if field else None
    optional = types.NoneType in typing.get_args(annotation)
    kind = _kind(annotation)
    return f"{kind}{bounds}{' or null' if optional else ''}"


def _kind(annotation: Any) -> str:
    for candidate in (annotation, *typing.get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, StrEnum):
            return "one of " + ", ".join(member.value for member in candidate)
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return "a mapping with " + ", ".join(candidate.model_fields)
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    for candidate in (annotation, *typing.get_args(annotation)):
        if candidate in words:
            return words[candidate]
    if typing.get_origin(annotation) is tuple:
        return f"a list, each entry {_kind(typing.get_args(annotation)[0])}"
    return _named(annotation)


def _named(annotation: Any) -> str:
    name = getattr(annotation, "__name__", str(annotation))
    return {
        "IPv4Address": "an IPv4 address",
        "IPv4Network": "an IPv4 network such as 10.30.0.0/16",
        "date": "a date, YYYY-MM-DD",
    }.get(name, name)


def _bounds(field: FieldInfo | None, detail: ErrorDetails | None) -> str:
    limits: dict[str, Any] = {}
    for constraint in field.metadata if field else ():
        for key in ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern"):
            value = getattr(constraint, key, None)
            if value is not None:
                limits[key] = value
    for key in ("gt", "ge", "lt", "le", "pattern"):
        if detail and key in detail.get("ctx", {}):
            limits[key] = detail["ctx"][key]
    words = {"gt": "above", "ge": "from", "lt": "below", "le": "up to", "pattern": "matching"}
    parts = [f"{word} {limits[key]}" for key, word in words.items() if key in limits]
    if limits.get("min_length"):
        parts.append(f"of at least {limits['min_length']}")
    return " " + " ".join(parts) if parts else ""
