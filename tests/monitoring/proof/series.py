"""Cases: what Prometheus is given, and which alert it must raise from that, or must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Parts = tuple[tuple[float, float], ...]
"""(value, seconds) of a gauge or (growth a second, seconds) of a counter, one after the other."""
GONE = float("nan")
"""The value of a gauge that is no longer exported."""


@dataclass(frozen=True)
class Gauge:
    """A series that holds each value for so many seconds, and the last one at the end too."""

    parts: Parts

    def text(self, step: int) -> str:
        """Return the series in promtool's notation, a sample every `step` seconds."""
        runs = [_run(value, round(seconds / step)) for value, seconds in self.parts if seconds]
        return " ".join([*runs, _number(self.parts[-1][0])])


@dataclass(frozen=True)
class Counter:
    """A series that grows by so much a second for so many seconds; `start` is its first value."""

    parts: Parts
    start: float = 0

    def text(self, step: int) -> str:
        """Return the series in promtool's notation, a sample every `step` seconds."""
        value, runs = self.start, []
        for growth, seconds in self.parts:
            count = round(seconds / step)
            if count:
                runs.append(f"{_number(value)}{growth * step:+.12g}x{count - 1}")
                value += growth * step * count
        return " ".join([*runs, _number(value)])


Series = Gauge | Counter


@dataclass(frozen=True, kw_only=True)
class Case:
    """One alert over given series until `seconds` have passed.

    It must be raised then, once for each of `labels` (without those that the rule adds), and not one evaluation earlier
    when `first` says that this is the first moment. No labels: it must stay silent.
    """

    alert: str
    seconds: int
    series: Mapping[str, Series]
    labels: tuple[Mapping[str, str], ...] = ()
    first: bool = True
    step: int = 30
    tick: int = 30
    stage: str = "stage-e"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The value that the expression of a recording has at `seconds`, over given series; `result` are its labels."""

    record: str
    labels: Mapping[str, str]
    seconds: int
    series: Mapping[str, Series]
    value: float
    result: str = "{}"
    step: int = 60
    stage: str = "stage-e"


@dataclass
class Book:
    """Cases as they are written down, alert by alert."""

    cases: list[Case] = field(default_factory=list)

    def fires(
        self, alert: str, seconds: int, series: Mapping[str, Series], *labels: Mapping[str, str], **more: object
    ) -> None:
        """Add a case in which the alert is raised at `seconds`, with these labels (none: one instance without any)."""
        self.cases.append(Case(alert=alert, seconds=seconds, series=series, labels=labels or ({},), **more))  # type: ignore[arg-type]

    def silent(self, alert: str, seconds: int, series: Mapping[str, Series], **more: object) -> None:
        """Add a case in which the alert is not raised at `seconds`."""
        self.cases.append(Case(alert=alert, seconds=seconds, series=series, **more))  # type: ignore[arg-type]


def gauge(*parts: tuple[float, float]) -> Gauge:
    """Return a gauge of (value, seconds)."""
    return Gauge(parts)


def counter(*parts: tuple[float, float], start: float = 0) -> Counter:
    """Return a counter of (growth a second, seconds)."""
    return Counter(parts, start)


def _run(value: float, count: int) -> str:
    if value != value:
        return f"stale _x{count - 1}" if count > 1 else "stale"
    return f"{_number(value)}x{count - 1}"


def _number(value: float) -> str:
    if value != value:
        return "_"
    return f"{value:.12g}"
