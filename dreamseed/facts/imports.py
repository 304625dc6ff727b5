"""Daily facts from files: what no Prometheus knows, such as revenue, reserve and what a person looked up.

A CSV file has the columns measure, day, value, source and, if not every day was recorded whole, coverage; a JSON file
is a list of objects with the same members. An empty value is unknown.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Fact

NEEDED = frozenset({"measure", "day", "value", "source"})
COLUMNS = NEEDED | {"coverage", "query"}


def import_facts(path: Path) -> tuple[Fact, ...]:
    """Return the facts in a CSV or JSON file; raises `DreamSeedError` with the place of the first that is none."""
    facts: list[Fact] = []
    seen: set[tuple[Measure, date]] = set()
    for where, row in _rows(path):
        fact = _fact(where, row)
        if (fact.measure, fact.day) in seen:
            raise _refused(where, f"is a second {fact.measure} of {fact.day}", "a file says one figure a day")
        seen.add((fact.measure, fact.day))
        facts.append(fact)
    return tuple(facts)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".csv":
            for number, row in enumerate(csv.DictReader(text.splitlines(), strict=True), start=2):
                yield f"{path} › line {number}", row
            return
        if path.suffix != ".json":
            raise _refused(str(path), "is neither .csv nor .json", "these two are read")
        content = json.loads(text)
    except (OSError, ValueError, csv.Error) as error:
        raise _refused(str(path), f"cannot be read ({error})", "facts are imported from CSV or JSON") from error
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise _refused(str(path), "is no list of objects", "each fact is one object")
    for number, row in enumerate(content, start=1):
        yield f"{path} › fact {number}", row


def _fact(where: str, row: Mapping[str, Any]) -> Fact:
    unknown, lacking = sorted(map(str, set(row) - COLUMNS)), sorted(NEEDED - set(row))
    if unknown or lacking:
        what = f"has {', '.join(unknown)}" if unknown else f"lacks {', '.join(lacking)}"
        raise _refused(where, what, f"a fact has {', '.join(sorted(NEEDED))}, and may have coverage and query")
    try:
        measure = Measure(row["measure"])
    except ValueError as error:
        raise _refused(where, f"{row['measure']!r} is no measure", f"known are {', '.join(Measure)}") from error
    try:
        day = date.fromisoformat(str(row["day"]))
        value = None if row["value"] in ("", None) else float(row["value"])
        coverage = 1.0 if row.get("coverage") in ("", None) else float(row["coverage"])
    except (TypeError, ValueError) as error:
        raise _refused(where, str(error), "a day is YYYY-MM-DD, value and coverage are numbers") from error
    return Fact(
        measure=measure,
        day=day,
        value=value,
        coverage=coverage,
        source=str(row["source"] or ""),
        query=str(row.get("query") or ""),
    )


def _refused(where: str, what: str, why: str) -> DreamSeedError:
    return DreamSeedError(where, what, why, "sign_ups,2026-11-25,10412,product database")
