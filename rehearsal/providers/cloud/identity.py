"""Which id an object has before anybody asks its cloud: computed from what a program says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.providers.cloud.fake_cloud import RULES
from rehearsal.providers.cloud.filling import PLACEHOLDER, PLACES, Draw, Filler
from rehearsal.providers.paths import find, segments
from rehearsal.providers.wire import UNKNOWN_TEXT

NEVER_EMPTY = frozenset({*PLACES, "name"})


def is_made_again(token: str) -> bool:
    """Whether a second creation only sets the same object again, or nothing is kept outside of the engine's state."""
    rule = RULES.get(token)
    return rule is not None and (rule.upsert or rule.local)


def is_drawn(token: str) -> bool:
    """Whether the cloud draws a part of the id, or of a name in it that the program may leave open."""
    rule = RULES.get(token)
    if rule is None:
        return True
    names = [str(rule.outputs.get(placeholder, "")) for placeholder in PLACEHOLDER.findall(rule.id)]
    return any(_has_draw(text) for text in (rule.id, *names))


def _has_draw(text: str) -> bool:
    return any(Draw("", 0)(placeholder, 1) is not None for placeholder in PLACEHOLDER.findall(text))


def computed_id(token: str, inputs: Mapping[str, Any], config: Mapping[str, Any], *, again: bool = False) -> str | None:
    """Return the id by which the object is imported; None when its cloud draws it, or what it follows is not known.

    None too where making it again is right, unless `again`; and always for what lives in the engine's state alone: to
    import a random password by a made-up id would make that the password. `config` is the configuration of the
    object's provider: it may say the project and the place.
    """
    rule = RULES.get(token)
    if rule is None or _has_draw(rule.id) or rule.local or (is_made_again(token) and not again):
        return None
    values = {key: config[key] for key in PLACES if config.get(key)} | dict(inputs)
    for placeholder in PLACEHOLDER.findall(rule.id):
        path = placeholder.removeprefix("base:")
        found = [value for _, value in find(values, segments("project" if path == "project_number" else path))]
        if UNKNOWN_TEXT in found or (not found and path in NEVER_EMPTY):
            return None
    return Filler(rule, {}, values, Draw("", 0)).text(rule.id) or None
