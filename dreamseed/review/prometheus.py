"""Asking a Prometheus for numbers at a moment, or over a time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import httpx

from dreamseed.errors import DreamSeedError

TIMEOUT_SECONDS = 60


class Prometheus:
    """A Prometheus at `url`, asked by its HTTP API. Source: Prometheus documentation, HTTP API, instant queries."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    def value(self, expression: str, at: datetime) -> float | None:
        """Return the one value of `expression` at a moment, or None where there is no data (or no number).

        Raises `DreamSeedError` when Prometheus does not answer, refuses, or has more than one value.
        """
        values = self.values(expression, at)
        if len(values) > 1:
            raise self._refused(expression, f"answers with {len(values)} series", "an aggregation to one")
        return next(iter(values.values()), None)

    def values(self, expression: str, at: datetime, label: str = "") -> dict[str, float]:
        """Return the finite values of `expression` at a moment, by the label that tells them apart."""
        result = self._asked("/api/v1/query", expression, time=str(at.timestamp()))
        found = {one["metric"].get(label, str(number)): float(one["value"][1]) for number, one in enumerate(result)}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def ranges(
        self, expression: str, begins: datetime, ends: datetime, step_seconds: int
    ) -> list[tuple[dict[str, str], list[tuple[datetime, float]]]]:
        """Return the finite values of `expression` between two moments: the labels of each series and its points.

        Source: Prometheus documentation, HTTP API, range queries.
        """
        moments = {"start": str(begins.timestamp()), "end": str(ends.timestamp()), "step": str(step_seconds)}
        found = []
        for one in self._asked("/api/v1/query_range", expression, **moments):
            points = [(datetime.fromtimestamp(at, UTC), float(value)) for at, value in one["values"]]
            found.append((dict(one["metric"]), [point for point in points if math.isfinite(point[1])]))
        return [(labels, points) for labels, points in found if points]

    def _asked(self, path: str, expression: str, **more: str) -> list[dict[str, Any]]:
        try:
            content = self._client.post(path, data={"query": expression, **more}).json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._refused(expression, f"does not answer: {error}", "the URL of a Prometheus that runs") from error
        if content.get("status") != "success":
            raise self._refused(expression, str(content.get("error")), "an expression that it can evaluate")
        result: list[dict[str, Any]] = content["data"]["result"]
        return result

    def _refused(self, expression: str, what: str, remedy: str) -> DreamSeedError:
        return DreamSeedError(self._url, what, f"it was asked for {expression}", remedy)
