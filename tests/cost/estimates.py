"""Estimates of the shipped stages, as they are and changed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import Any

from dreamseed.cost import Estimate, Line, estimate
from tests.planning.stages import planned, shipped

TODAY = date(2026, 11, 24)


def estimated(stage: str, change: Mapping[str, Any] | None = None) -> Estimate:
    """The estimate of a shipped stage with `change` laid over it."""
    return estimate(planned(stage, change), today=TODAY)


@functools.cache
def shipped_estimate(stage: str) -> Estimate:
    """The estimate of the stage as it is shipped."""
    return estimate(shipped(stage), today=TODAY)


def api_lines(stage: str, change: Mapping[str, Any] | None = None) -> list[Line]:
    """The lines of Cloud Run's service."""
    return [line for line in estimated(stage, change).lines if line.name.startswith("API ")]


def total_of(stage: str, change: Mapping[str, Any] | None, begins: str) -> float:
    """The expected USD of the lines whose name begins so."""
    lines = estimated(stage, change).lines
    return sum(line.usd.expected for line in lines if line.name.startswith(begins))
