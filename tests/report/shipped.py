"""The report on the shipped stages, gathered once, and its page."""

from __future__ import annotations

from datetime import date
from functools import cache

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.report import Origin, Report, gather, report_page
from tests.planning.stages import ROOT

DAY = date(2026, 11, 26)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@cache
def shipped_report() -> Report:
    origin = Origin(command="dreamseed report", commit=COMMIT)
    return gather(ROOT, origin, day=DAY, scenario=Scenario.REALISTIC)


@cache
def shipped_page() -> str:
    return report_page(shipped_report())
