"""Seeded simulation: many runs, each with parameters of its own, constant over its months.

Every run draws from the distributions of the catalogue by their inverse, from uniform numbers of PCG64. Draws are made
in a fixed order, so that runs of two scenarios or models with one seed differ by what is asked, not by luck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dreamseed.catalog.growth_scenarios import GPU_LEAD_TIME_DAYS, SERVER_LEAD_TIME_DAYS, Scenario, Triangular
from dreamseed.growth.ladder import Ladder, entry_months
from dreamseed.growth.models import Model, Trajectories, trajectories
from dreamseed.growth.parameters import Floats, GrowthError, drawn

MOST_RUNS = 20_000


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """`entries` are the stages' first months, shape (rungs, runs); lead times are days, shape (runs,)."""

    trajectories: Trajectories
    entries: Floats
    gpu_lead_days: Floats
    server_lead_days: Floats


def simulate(
    model: Model, scenario: Scenario, known: Mapping[str, float], rungs: Ladder, *, months: int, runs: int, seed: int
) -> Simulation:
    """Return `runs` runs over `months` months; the same arguments give the same numbers.

    Raises `GrowthError` when `runs` is not from 1 to 20,000 or the seed is negative.
    """
    if not 1 <= runs <= MOST_RUNS:
        raise GrowthError(
            "grow › runs",
            f"{runs} is out of range",
            "each run takes memory, and none says nothing",
            f"1 to {MOST_RUNS}",
        )
    if seed < 0:
        raise GrowthError("grow › seed", f"{seed} is negative", "the generator counts from 0", "0 or more")
    generator = np.random.Generator(np.random.PCG64(seed))

    def draw(distribution: Triangular) -> Floats:
        return triangular_inverse(distribution, generator.random(runs))

    parameters = drawn(scenario, known, runs, draw)
    grown = trajectories(model, parameters, months)
    return Simulation(
        trajectories=grown,
        entries=entry_months(rungs, grown.sign_ups),
        gpu_lead_days=draw(GPU_LEAD_TIME_DAYS),
        server_lead_days=draw(SERVER_LEAD_TIME_DAYS),
    )


def triangular_inverse(distribution: Triangular, uniform: Floats) -> Floats:
    """Return the values at which the distribution function is `uniform` (from 0 to 1)."""
    low, mode, high = distribution.low, distribution.mode, distribution.high
    width = high - low
    rising = low + np.sqrt(uniform * width * (mode - low))
    falling = high - np.sqrt((1 - uniform) * width * (high - mode))
    return np.where(uniform * width < mode - low, rising, falling)
