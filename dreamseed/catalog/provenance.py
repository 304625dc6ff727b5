"""Where a fact of the catalogue comes from, when it was recorded and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Evidence(StrEnum):
    """How a fact came to be known, strongest first."""

    EXECUTED = "executed"
    SOURCE_READ = "source read"
    DOCUMENTED = "documented"
    REPORTED = "reported in an issue or a public log"
    ESTIMATED = "estimated by arithmetic, not measured"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The source of a fact, in words, the day it was recorded and the kind of evidence behind it."""

    source: str
    recorded_on: date
    evidence: Evidence
