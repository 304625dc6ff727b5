"""What the stage really uses, asked of Prometheus, and how much more or less than expected that costs an hour.

The plan gives tables (`--rates`): for each figure of the usage a query, the expected value, and at some values what an
hour costs more than expected, by component. Between them it is a straight line. What nobody measured is as expected.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 2.0
SHORTEST_WINDOW = timedelta(minutes=5)
DAY = timedelta(days=1)
POINTS = 500
"""Of a window that Prometheus averages over."""
SHORTEST_STEP_SECONDS = 60

logger = logging.getLogger("cost-exporter")
Ask = Callable[[str, datetime, timedelta], float | None]
"""Returns the mean of a query over the window that ends at a moment, None where nothing was measured."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One figure of the usage: `query` holds ``$window`` and ``$step``; `at` are the values of the table, rising."""

    name: str
    query: str
    expected: float
    at: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """What an hour costs more than expected, in USD by component: lists in lists, one level an axis."""

    axes: tuple[Axis, ...]
    more_usd_per_hour: Mapping[str, Any]

    def more(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return USD an hour above the expected rates by component, with the expected value where none is known."""
        where = [values.get(axis.name, axis.expected) for axis in self.axes]
        return {name: between(grid, self.axes, where) for name, grid in self.more_usd_per_hour.items()}


def between(grid: Any, axes: Sequence[Axis], values: Sequence[float]) -> float:
    """Return the value of a grid between its points; beyond the last ones the last line goes on."""
    if not axes:
        return float(grid)
    at, value = axes[0].at, values[0]
    upper = min(max(bisect_right(at, value), 1), len(at) - 1)
    low, high = (between(grid[number], axes[1:], values[1:]) for number in (upper - 1, upper))
    return low + (high - low) * (value - at[upper - 1]) / (at[upper] - at[upper - 1])


def read_tables(content: Sequence[Mapping[str, Any]]) -> tuple[Table, ...]:
    """Return the tables that the plan made; raises ValueError, KeyError or TypeError for anything else."""
    return tuple(
        Table(
            axes=tuple(replace(Axis(**axis), at=tuple(map(float, axis["at"]))) for axis in table["axes"]),
            more_usd_per_hour=table["more_usd_per_hour"],
        )
        for table in content
    )


def measured(tables: Sequence[Table], ask: Ask, until: datetime, since: datetime) -> dict[str, float]:
    """Return the mean of each figure between two moments, five minutes at least; nothing where nobody measured.

    The first question without an answer is the last one: a Prometheus that is away is not waited for again and again.
    """
    found: dict[str, float] = {}
    try:
        for axis in (axis for table in tables for axis in table.axes):
            value = ask(axis.query, until, max(SHORTEST_WINDOW, until - since))
            if value is not None:
                found[axis.name] = value
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        logger.warning("the usage cannot be asked for: %s", error)
    return found


def adjusted(
    usd_per_hour: Mapping[str, float], tables: Sequence[Table], values: Mapping[str, float]
) -> dict[str, float]:
    """Return the rates with what is measured in place of what was expected; none falls below 0."""
    rates = dict(usd_per_hour)
    for table in tables:
        for name, more in table.more(values).items():
            rates[name] = max(0.0, rates.get(name, 0.0) + more)
    return rates


def prometheus(url: str) -> Ask:
    """Return how the Prometheus at `url` is asked; raises OSError, ValueError or KeyError where it does not answer."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80

    def ask(query: str, until: datetime, window: timedelta) -> float | None:
        seconds = math.ceil(window.total_seconds())
        step = max(SHORTEST_STEP_SECONDS, math.ceil(seconds / POINTS))
        expression = query.replace("$window", f"{seconds}s").replace("$step", f"{step}s")
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", f"/api/v1/query?{urlencode({'query': expression, 'time': until.timestamp()})}")
            result = json.loads(connection.getresponse().read())["data"]["result"]
        finally:
            connection.close()
        value = float(result[0]["value"][1]) if result else math.nan
        return value if math.isfinite(value) else None

    return ask
