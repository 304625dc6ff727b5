"""A waiver lets one fault of one rule pass on named resources of named stages, for a reason, until a day."""

from __future__ import annotations

from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dreamseed.errors import ConfigError
from policy.model import Stage, Violation

FILE = Path(__file__).with_name("waivers.yaml")
LONGEST_DAYS = 366
"""So long does a waiver hold at most: a year later somebody asks again. A choice."""


class Waiver(BaseModel):
    """One waiver; `resource` is a pattern of logical names, `fault` a part of the fault's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    resource: str
    fault: str = Field(min_length=5)
    stages: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=40)
    since: date
    until: date

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not self.since <= self.until <= self.since + timedelta(days=LONGEST_DAYS):
            raise ValueError(f"holds from {self.since} until {self.until}: write an end within {LONGEST_DAYS} days")
        return self

    def holds(self, stage: Stage) -> bool:
        """Tell whether it speaks of `stage` and has not ended; the last day counts."""
        return stage.name in self.stages and stage.today <= self.until

    def covers(self, violation: Violation) -> bool:
        """Tell whether it lets `violation` pass."""
        return (
            self.rule == violation.rule
            and fnmatchcase(violation.resource, self.resource)
            and self.fault in violation.fault
        )


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a file; raises `ConfigError` with the first that is none."""
    written = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    found = []
    for number, entry in enumerate(written, start=1):
        try:
            found.append(Waiver.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the entry"
            raise ConfigError(
                f"{path.name} › entry {number}",
                f"is no waiver ({field}: {first['msg']})",
                "what is let pass has its rule, resource, fault, stages, reason, beginning and end",
                "an entry like the others in policy/waivers.yaml",
            ) from error
    return tuple(found)


@cache
def shipped_waivers() -> tuple[Waiver, ...]:
    """Return the waivers of this project."""
    return read_waivers(FILE)
