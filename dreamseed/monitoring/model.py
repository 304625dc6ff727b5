"""The parts that rules are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """What an alert asks for: somebody now, or a ticket."""

    CRITICAL = "critical"
    WARNING = "warning"


class Owner(StrEnum):
    """Who acts on an alert."""

    OPERATIONS = "operations"
    BACKEND = "backend"
    INFERENCE = "inference"
    FINANCE = "finance"


class Concern(StrEnum):
    """What an alert is about. Everything stateful needs the first four, or says why not."""

    AVAILABILITY = "availability"
    SATURATION = "saturation"
    REPLICATION = "replication"
    BACKUP = "backup"
    ERRORS = "errors"
    LATENCY = "latency"
    COST = "cost"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A series that Prometheus computes and keeps."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert: it fires when `expression` has given a result for `for_seconds` without a gap.

    `summary` says what is wrong, `action` what to do first, the heading `runbook` (default: the alert's own name) of
    the group's runbook the rest. `component` is the component of the plan that it is about.
    """

    name: str
    expression: str
    severity: Severity
    component: str
    concern: Concern
    summary: str
    action: str
    owner: Owner = Owner.OPERATIONS
    runbook: str = ""
    for_seconds: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Return the heading of the runbook that is about this alert."""
        return self.runbook or self.name


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, recordings first, every `interval_seconds` or as all others."""

    name: str
    recordings: tuple[Recording, ...] = ()
    alerts: tuple[Alert, ...] = ()
    interval_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the servers run, as far as rules and dashboards show it."""

    gpus: int
    engines: int
