"""What a growth model is given: one value of each parameter, or one of each per run of a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from dreamseed.catalog.growth_scenarios import (
    COHORT_CONCENTRATION,
    CYCLE_MONTHS,
    SCENARIOS,
    START_USERS,
    Scenario,
    Triangular,
)
from dreamseed.errors import DreamSeedError

Floats = NDArray[np.float64]
Draw = Callable[[Triangular], Floats]


class GrowthError(DreamSeedError):
    """A parameter of a growth forecast is outside what the models mean."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Inclusive bounds of one parameter, and why."""

    low: float
    high: float
    why: str


BOUNDS: Mapping[str, Bounds] = {
    "users": Bounds(low=1, high=100_000_000, why="growth is a factor: from nobody nobody comes"),
    "k": Bounds(low=0.01, high=10, why="K says how many users one user brings; above 10 no service was seen to stay"),
    "churn": Bounds(low=0, high=1, why="churn is the share of users who leave in a month: nobody leaves twice"),
    "cycle_months": Bounds(low=0.1, high=24, why="the time in which a user brings others, from 3 days to 2 years"),
    "concentration": Bounds(low=0.1, high=1e9, why="α + β of the retention curve; from 1e6 all users are alike"),
}


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What the models read, each of shape (runs,): users at month 0, K, monthly churn (a ratio), the viral model's
    cycle in months and α + β of the cohort model's retention curve.
    """

    users: Floats
    k: Floats
    churn: Floats
    cycle_months: Floats
    concentration: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            check(field.name, getattr(self, field.name))


def check(name: str, values: Floats | float) -> None:
    """Raise `GrowthError` when a value of the parameter `name` is out of its bounds, or no number."""
    bounds = BOUNDS[name]
    for value in np.ravel(values):
        if not bounds.low <= value <= bounds.high:
            raise GrowthError(
                f"grow › {name}", f"{value:g} is out of range", bounds.why, f"{bounds.low:g} to {bounds.high:g}"
            )


def single(scenario: Scenario, known: Mapping[str, float]) -> Parameters:
    """Return one run: the plan's value of each parameter, or the `known` one."""
    return _parameters(scenario, known, 1, lambda distribution: np.array([distribution.mode]))


def drawn(scenario: Scenario, known: Mapping[str, float], runs: int, draw: Draw) -> Parameters:
    """Return `runs` runs: `draw` of each parameter's distribution; what is `known` is the same in all."""
    return _parameters(scenario, known, runs, draw)


def _parameters(scenario: Scenario, known: Mapping[str, float], runs: int, draw: Draw) -> Parameters:
    facts = SCENARIOS[scenario]
    values = {
        "users": np.full(runs, float(START_USERS)),
        # Every distribution is drawn, known or not: what is known of one leaves the draws of the others as they were.
        "k": draw(facts.k),
        "churn": draw(facts.churn),
        "cycle_months": draw(CYCLE_MONTHS),
        "concentration": draw(COHORT_CONCENTRATION),
    }
    values |= {name: np.full(runs, float(value)) for name, value in known.items()}
    return Parameters(**values)
