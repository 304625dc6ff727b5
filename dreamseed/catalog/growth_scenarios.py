"""How the service's users may grow: the plan's scenarios, how uncertain they are, and how long a GPU takes to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from dreamseed.catalog.provenance import Evidence, Provenance

GROWTH_PLAN_SCENARIOS = Provenance(
    source="the growth plan v1.0 of 2025-11-10, section 8",
    recorded_on=date(2026, 11, 22),
    evidence=Evidence.DOCUMENTED,
)
COHORTS = Provenance(
    source="P. Fader and B. Hardie, How to Project Customer Retention, Journal of Interactive Marketing 21(1), 2007: "
    "fitted anew by maximum likelihood on the first seven years of its two cohorts, 4.5 (high end) and 1.9 (regular)",
    recorded_on=date(2026, 11, 24),
    evidence=Evidence.EXECUTED,
)
A_CHOICE = Provenance(
    source="a choice, no source: put a measured value in its place",
    recorded_on=date(2026, 11, 24),
    evidence=Evidence.UNVERIFIED,
)


class Scenario(StrEnum):
    """The plan's three scenarios."""

    CONSERVATIVE = "conservative"
    REALISTIC = "realistic"
    OPTIMISTIC = "optimistic"


@dataclass(frozen=True, kw_only=True)
class Triangular:
    """A triangular distribution from `low` to `high` with its peak at `mode`, why it is so, and its source.

    Triangular, because a low, a likely and a high value are all that anybody can say before there are users.
    """

    low: float
    mode: float
    high: float
    reason: str
    provenance: Provenance

    def __post_init__(self) -> None:
        if not self.low <= self.mode <= self.high or self.low == self.high:
            raise ValueError(f"{self.low}, {self.mode}, {self.high}: a triangle needs low ≤ mode ≤ high and a width")


@dataclass(frozen=True, kw_only=True)
class ScenarioFacts:
    """K and monthly churn (a ratio) of one scenario: the modes are the plan's, the widths a choice."""

    k: Triangular
    churn: Triangular


START_USERS = 1_000
"""Users at month 0. Source: `GROWTH_PLAN_SCENARIOS`."""

_HALF_WAY = "the mode is the plan's; the ends lie half-way to the neighbouring scenario, mirrored where there is none"


def _facts(k: tuple[float, float, float], churn: tuple[float, float, float]) -> ScenarioFacts:
    return ScenarioFacts(
        k=Triangular(low=k[0], mode=k[1], high=k[2], reason=_HALF_WAY, provenance=GROWTH_PLAN_SCENARIOS),
        churn=Triangular(
            low=churn[0], mode=churn[1], high=churn[2], reason=_HALF_WAY, provenance=GROWTH_PLAN_SCENARIOS
        ),
    )


SCENARIOS: Mapping[Scenario, ScenarioFacts] = MappingProxyType(
    {
        Scenario.CONSERVATIVE: _facts(k=(1.05, 1.1, 1.15), churn=(0.065, 0.08, 0.095)),
        Scenario.REALISTIC: _facts(k=(1.15, 1.2, 1.25), churn=(0.04, 0.05, 0.065)),
        Scenario.OPTIMISTIC: _facts(k=(1.25, 1.3, 1.35), churn=(0.02, 0.03, 0.04)),
    }
)

CYCLE_MONTHS = Triangular(
    low=0.5,
    mode=1.0,
    high=2.0,
    reason="one month makes the viral model comparable with the plan's monthly formula; half and double around it",
    provenance=A_CHOICE,
)
"""The viral model's cycle time: from a user's sign-up to the sign-ups that this user brings."""

COHORT_CONCENTRATION = Triangular(
    low=1.9,
    mode=4.5,
    high=10.0,
    reason="low and mode are two published cohorts; the high end, users who are more alike, is a choice",
    provenance=COHORTS,
)
"""α + β of the cohort model's retention curve: how alike users are in their churn (infinite: all the same)."""

GPU_LEAD_TIME_DAYS = Triangular(
    low=14,
    mode=30,
    high=90,
    reason="from the order to a GPU that serves: delivery, mounting, burn-in; scarce cards take the longest",
    provenance=A_CHOICE,
)
SERVER_LEAD_TIME_DAYS = Triangular(
    low=21,
    mode=45,
    high=120,
    reason="a further server also needs its place, power and network; a multi-GPU board is built to order",
    provenance=A_CHOICE,
)
