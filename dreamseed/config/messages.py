"""Validation errors as sentences: where, what, why and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dreamseed.config.expectation import Expectation, find
from dreamseed.errors import ConfigError, ConfigErrors

SEPARATOR = " › "
# pydantic's names of broken bounds: the bound's key in the error's context, and how a sentence says it.
_BROKEN_BOUNDS = {
    "greater_than": ("gt", "not above"),
    "greater_than_equal": ("ge", "below"),
    "less_than": ("lt", "not below"),
    "less_than_equal": ("le", "above"),
}


def to_config_errors(error: ValidationError, model: type[BaseModel], where: str) -> ConfigErrors:
    """Return `error` of `model` as the list of faults that a user can act on."""
    details = error.errors()
    return ConfigErrors(tuple(_translate(detail, model, where) for detail in details if not _follows(detail, details)))


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Tell whether a list counts as too short only because an entry of it is faulty."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _translate(detail: ErrorDetails, model: type[BaseModel], where: str) -> ConfigError:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    place = SEPARATOR.join([where, *(_step(part) for part in location)])
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "rule":
        place = SEPARATOR.join(filter(None, (place, context["at"])))
        return ConfigError(place, context["what"], context["why"], context["remedy"])
    expected = find(model, location)
    if kind == "extra_forbidden":
        return ConfigError(place, "is not a key of this section", *_unknown_key(str(location[-1]), expected))
    meaning = f"the key means: {expected.description}"
    if kind == "missing":
        return ConfigError(place, "is missing", meaning, f"{location[-1]}: {expected}")
    return ConfigError(place, _fault(kind, detail["input"], context, expected), meaning, str(expected))


def _fault(kind: str, value: Any, context: Mapping[str, Any], expected: Expectation) -> str:
    if kind == "too_short":
        return f"has {len(value)} entries, fewer than {context['min_length']}"
    if kind == "too_long":
        return f"has {len(value)} entries, more than {context['max_length']}"
    if kind == "string_too_short":
        return f"is {_shown(value)}, shorter than {context['min_length']} characters"
    if kind in _BROKEN_BOUNDS:
        bound, words = _BROKEN_BOUNDS[kind]
        return f"is {_shown(value)}, {words} {context[bound]:,.10g}"
    return f"is {_shown(value)}, not {expected.kind}"


def _step(part: int | str) -> str:
    return f"#{part + 1}" if isinstance(part, int) else part


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value:,}"


def _unknown_key(key: str, expected: Expectation) -> tuple[str, str]:
    known = sorted(expected.keys)
    near = difflib.get_close_matches(key, known, n=1)
    return "a key that nothing reads would look as if it worked", near[0] if near else f"one of {', '.join(known)}"
