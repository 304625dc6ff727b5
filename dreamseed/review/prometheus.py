"""Asking a Prometheus for single numbers at a moment."""

from __future__ import annotations

import math
from datetime import datetime

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
        try:
            answer = self._client.post("/api/v1/query", data={"query": expression, "time": str(at.timestamp())})
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._refused(expression, f"does not answer: {error}", "the URL of a Prometheus that runs") from error
        if content.get("status") != "success":
            raise self._refused(expression, str(content.get("error")), "an expression that it can evaluate")
        found = {
            one["metric"].get(label, str(number)): float(one["value"][1])
            for number, one in enumerate(content["data"]["result"])
        }
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _refused(self, expression: str, what: str, remedy: str) -> DreamSeedError:
        return DreamSeedError(self._url, what, f"it was asked for {expression}", remedy)
