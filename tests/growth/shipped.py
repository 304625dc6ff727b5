"""The ladder of the shipped stage files, and forecasts on it."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, stage_file
from dreamseed.growth.costs import planned_budget
from dreamseed.growth.forecast import Forecast, Request, forecast
from dreamseed.growth.ladder import Ladder, ladder
from tests.program import PROJECT

START = date(2026, 12, 1)


@cache
def configs() -> tuple[StageConfig, ...]:
    return tuple(load_stage(stage_file(PROJECT, name), PROJECT) for name in STAGE_NAMES)


@cache
def rungs() -> Ladder:
    return ladder(configs(), planned_budget)


def forecast_of(scenario: Scenario = Scenario.REALISTIC, **asked: Any) -> Forecast:
    return forecast(Request(**{"scenario": scenario, "start": START, "runs": 50, **asked}), rungs())
