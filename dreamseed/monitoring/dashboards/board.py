"""A dashboard as a value: what each panel asks, in which unit, with which marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

COLOURS = ("green", "yellow", "orange", "red", "dark-red")
RANGE = "$__rate_interval"
"""What a rate in a panel is taken over: Grafana fits it to the zoom and to the scrape interval."""


def as_promql(query: str) -> str:
    """Return a panel's query as Prometheus reads it: what Grafana fills in is five minutes."""
    return query.replace(RANGE, "5m")


class Kind(StrEnum):
    """How a panel shows its queries."""

    LINES = "timeseries"
    GAUGE = "gauge"
    STAT = "stat"
    HISTORY = "table"
    """A table of labels with the moment that the value names, in milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: `queries` are legends by expression, `marks` are (value, colour) rising, green below the first.

    `unit` is Grafana's name of it. `lines` draws the marks into the chart.
    """

    title: str
    description: str
    unit: str
    queries: Mapping[str, str]
    kind: Kind = Kind.LINES
    marks: tuple[tuple[float, str], ...] = ()
    lines: bool = False
    stacked: bool = False
    minimum: float | None = 0
    maximum: float | None = None


@dataclass(frozen=True, kw_only=True)
class Board:
    """One dashboard. `name` is its file's and its identity's: another one would lose its links."""

    name: str
    title: str
    description: str
    panels: tuple[Panel, ...]
