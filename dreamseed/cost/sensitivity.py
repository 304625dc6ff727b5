"""What moves the expected cost most: one input at a time from low to high, everything else as expected."""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.cost.estimate import Estimate, expected_usd
from dreamseed.cost.quantities.use import Month, usage_ranges
from dreamseed.interval import Scenario

LEAST_USD = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The expected total with `input` low, and with it high. `kind` is usage or price."""

    input: str
    kind: str
    low_usd: float
    high_usd: float

    @property
    def width_usd(self) -> float:
        """Return how far the total moves."""
        return abs(self.high_usd - self.low_usd)


def tornado(estimated: Estimate) -> tuple[Swing, ...]:
    """Return the swing of every input that moves the expected total at all, widest first."""
    plan, usage = estimated.plan, estimated.plan.config.usage
    month = Month(plan=plan, usage=usage)
    swings = []
    for name in usage_ranges():
        known = month.interval(name)
        low, high = (expected_usd(plan, usage, replaced={name: value}) for value in (known.low, known.high))
        swings.append(Swing(input=name, kind="usage", low_usd=low, high_usd=high))
    for sku in dict.fromkeys(line.price.sku for line in estimated.lines):
        low, high = (expected_usd(plan, usage, scenarios={sku: end}) for end in (Scenario.LOW, Scenario.HIGH))
        swings.append(Swing(input=sku, kind="price", low_usd=low, high_usd=high))
    moving = [swing for swing in swings if swing.width_usd >= LEAST_USD]
    return tuple(sorted(moving, key=lambda swing: (-swing.width_usd, swing.input)))
