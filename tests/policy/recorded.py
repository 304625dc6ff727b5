"""What the shipped stages declare, as the rules see it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from policy.model import Resource, Stage
from tests.planning.stages import configured
from tests.program import PROJECT, record

TODAY = date(2026, 11, 26)
"""The day on which the shipped waivers began: tests do not depend on the day of their run."""


@cache
def resources(stage: str, program: Path = PROJECT / "__main__.py") -> tuple[Resource, ...]:
    """Return what `program` registers with the shipped file of `stage`."""
    return tuple(
        Resource(urn=r.urn, type=r.type, name=r.name, inputs=r.inputs, secrets=r.secrets, protect=r.protect)
        for r in record(stage, program)
        if r.custom
    )


@cache
def shipped(stage: str, today: date = TODAY) -> Stage:
    """Return the shipped stage file, asked about on `today`."""
    return Stage(name=stage, config=configured(stage), today=today)
