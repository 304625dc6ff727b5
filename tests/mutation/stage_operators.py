"""How a stage file goes wrong: each operator yields mutants of what a file says over what all stages share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.mutation.mutant import GONE, Path, brief, places, put, shown

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StageMutant:
    """One change of one stage file: the place `path` says `value`, or an entry has another key."""

    operator: str
    stage: str
    what: str
    path: Path
    value: Any = None
    misspelt: str = ""

    def __str__(self) -> str:
        return f"{self.stage} › {self.what}"

    def into(self, document: Document) -> dict[str, Any]:
        """Return what the changed file says."""
        changed = deepcopy(dict(document))
        if self.misspelt:
            holder: Any = changed
            for key in self.path[:-1]:
                holder = holder[key]
            holder[self.misspelt] = holder.pop(self.path[-1])
        else:
            put(changed, self.path, self.value)
        return changed


StageOperator = Callable[[str, Document], Iterator[StageMutant]]


def _put(operator: str, stage: str, path: Path, old: Any, new: Any) -> StageMutant:
    what = f"{shown(path)} {brief(old)} → {brief(new)}"
    return StageMutant(operator=operator, stage=stage, what=what, path=path, value=new)


def wrong_type(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield a value of another type at every place."""
    for path, value in places(document):
        if isinstance(value, Mapping):
            yield _put("wrong type", stage, path, value, "all")
        elif isinstance(value, list):
            yield _put("wrong type", stage, path, value, {"first": 1})
        elif value is not None:
            yield _put("wrong type", stage, path, value, [value])


def missing_key(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield the file without each of its keys."""
    for path, value in places(document):
        if isinstance(path[-1], str) and value is not None:
            yield _put("missing key", stage, path, value, GONE)


def misspelt_key(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield the file with each key misspelt."""
    for path, value in places(document):
        key = path[-1]
        if isinstance(key, str) and len(key) > 1 and value is not None:
            other = key[:-2] + key[-1] + key[-2] if key[-1] != key[-2] else key[:-1]
            what = f"{shown(path)} is written {other}"
            yield StageMutant(operator="misspelt key", stage=stage, what=what, path=path, misspelt=other)


def out_of_range(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield a number below zero, and one a hundred thousand times as large, for each number."""
    for path, value in places(document):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield _put("out-of-range number", stage, path, value, -1 - value)
            yield _put("out-of-range number", stage, path, value, (value + 1) * 100_000)


def wrong_word(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield another text, with a character that no name has, for each text."""
    for path, value in places(document):
        if isinstance(value, str) and value:
            yield _put("wrong word", stage, path, value, f"{value}?{value[0]}")


def lost_entry(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield each list without its last entry."""
    for path, value in places(document):
        if isinstance(value, list) and value:
            yield _put("lost entry", stage, path, value, value[:-1])


def doubled_entry(stage: str, document: Document) -> Iterator[StageMutant]:
    """Yield each list with its first entry twice."""
    for path, value in places(document):
        if isinstance(value, list) and value:
            yield _put("doubled entry", stage, path, value, [*value, value[0]])


STAGE_OPERATORS: tuple[StageOperator, ...] = (
    wrong_type,
    missing_key,
    misspelt_key,
    out_of_range,
    wrong_word,
    lost_entry,
    doubled_entry,
)
