"""What may never change from one stage to the next: names, regions, addresses, and servers that are in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dreamseed.config.messages import SEPARATOR
from dreamseed.config.stage import StageConfig
from dreamseed.config.types import IMMUTABLE_KEY
from dreamseed.errors import PromotionError


def changed_immutables(old: StageConfig, new: StageConfig) -> tuple[PromotionError, ...]:
    """Return one refusal for each immutable value that differs, in the file's order; none is a sound promotion.

    A server that `new` adds is fine; a server, or a witness, that it no longer has is refused, because what stands
    on it would be destroyed.
    """
    return tuple(_section(f"stage-{new.service.stage.lower()}", old, new))


def _section(where: str, old: BaseModel, new: BaseModel) -> Iterator[PromotionError]:
    for name, field in type(new).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        place = f"{where}{SEPARATOR}{name}"
        if isinstance(before, BaseModel):
            if after is not None:
                yield from _section(place, before, after)
            elif any(map(_is_immutable, type(before).model_fields.values())):
                yield _removed(place)
        elif isinstance(before, Mapping):
            yield from _named(place, before, after)
        elif _is_immutable(field) and before != after:
            yield _changed(place, field, before, after)


def _named(where: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> Iterator[PromotionError]:
    """Compare parts by name; mappings of plain values (placements) hold nothing immutable."""
    for name, before in old.items():
        if not isinstance(before, BaseModel):
            return
        place = f"{where}{SEPARATOR}{name}"
        after = (new or {}).get(name)
        yield from _section(place, before, after) if after is not None else [_removed(place)]


def _is_immutable(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, Mapping) and bool(extra.get(IMMUTABLE_KEY))


def _changed(where: str, field: FieldInfo, before: Any, after: Any) -> PromotionError:
    return PromotionError(
        where,
        f"changes from {before} to {after}",
        f"{field.description}: it never changes once a stage is up, since the resource would be replaced "
        "with all that it holds",
        f"{before}; a real move is a migration of its own, with a new resource beside the old one",
    )


def _removed(where: str) -> PromotionError:
    return PromotionError(
        where,
        "is gone, and the stage before has it",
        "what stands there would be destroyed with all that it holds",
        "the entry as the stage before has it; taking it away is a migration of its own",
    )
