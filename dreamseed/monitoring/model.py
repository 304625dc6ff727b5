"""The parts that rules are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """What an alert asks for: somebody now, or a ticket."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A series that Prometheus computes and keeps."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert: it fires when `expression` has given a result for `for_seconds` without a gap.

    `summary` says what is wrong, `action` what to do first.
    """

    name: str
    expression: str
    severity: Severity
    summary: str
    action: str
    for_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, recordings first."""

    name: str
    recordings: tuple[Recording, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the servers run, as far as rules and dashboards show it."""

    gpus: int
    engines: int
