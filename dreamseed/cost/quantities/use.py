"""What is used in a month, in one scenario: plain figures, so that every formula is an ordinary function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.config.usage import Range, Usage
from dreamseed.interval import Interval, Scenario
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """`quantity` units of `sku` in a month. `region` is the one that the price is looked up in.

    The first `free` units cost nothing for a reason that is not in the price's row. `paid_as` and `paid_quantity` are
    units of another SKU, on another line, that the bill does not charge while these are charged. `why` is the formula
    in words. `hardware` marks a purchase, which is shown in a column of its own and in no total.
    """

    name: str
    sku: str
    quantity: float
    line: CostLine
    why: str
    region: str
    free: float = 0.0
    paid_as: str = ""
    paid_quantity: float = 0.0
    hardware: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A stage's plan and one figure for each of its usage's ranges: `usage` in `scenario`, but for `replaced` ones."""

    plan: StagePlan
    usage: Usage
    scenario: Scenario = Scenario.EXPECTED
    replaced: Mapping[str, float] = field(default_factory=dict)

    def __getattr__(self, name: str) -> float:
        """Return the figure of the range `name` of the usage."""
        found = Usage.model_fields.get(name)
        if found is None:
            raise AttributeError(f"the usage has no range {name!r}")
        if name in self.replaced:
            return self.replaced[name]
        return self.interval(name).at(self.scenario)

    def interval(self, name: str) -> Interval:
        """Return the range `name` of the usage whole."""
        value = getattr(self.usage, name)
        if not isinstance(value, Range):
            raise AttributeError(f"{name!r} of the usage is no range")
        return value.interval

    @property
    def region(self) -> str:
        """Return the stage's Google Cloud region."""
        return self.plan.config.service.region


def usage_ranges() -> tuple[str, ...]:
    """Return the names of the usage's ranges, in the file's order."""
    return tuple(
        name
        for name, field_ in Usage.model_fields.items()
        if isinstance(field_.annotation, type) and issubclass(field_.annotation, Range)
    )
