"""What the solver answers: options with their price and what they give up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import le

from dreamseed.cost.estimate import Estimate, expected_usd
from dreamseed.cost.fit.setting import HOURS_PER_DAY, Setting
from dreamseed.interval import Interval

THOUSAND = 1_000
"""Steps in which a load factor is looked for."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Hours of each day and what a whole month of them alone would cost."""

    hours: int
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Option:
    """One legal combination of settings, one of each knob in the knobs' order.

    It costs its parts, each for its share of the day, and `clock`: the jobs that switch between them. The load is taken
    as the same in every hour, since the usage has no profile by the hour.
    """

    settings: tuple[Setting, ...]
    parts: tuple[Part, ...]
    clock: Interval

    @cached_property
    def total(self) -> Interval:
        """Return USD a month."""
        parts = (part.estimate.total * (part.hours / HOURS_PER_DAY) for part in self.parts)
        return Interval.total((*parts, self.clock))

    def expected_usd_at(self, load_factor: float) -> float:
        """Return the expected USD a month at another load factor than the stage file's."""
        at = {"load_factor": load_factor}
        plans = ((part.hours, part.estimate.plan) for part in self.parts)
        return self.clock.expected + sum(
            expected_usd(plan, plan.config.usage, replaced=at) * hours / HOURS_PER_DAY for hours, plan in plans
        )

    @property
    def losses(self) -> tuple[float, ...]:
        """Return what is given up, one figure for each thing that is traded."""
        return losses_of(self.settings)

    @property
    def gives_up(self) -> tuple[str, ...]:
        """Return what is given up, in words."""
        return tuple(setting.gives_up for setting in self.settings if setting.gives_up)

    @property
    def written(self) -> Iterator[str]:
        """Return every key that it sets, as ``key=value``."""
        return (part for setting in self.settings for part in setting.written())


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why combinations were refused, and how many were for this reason."""

    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """What fits `budget_usd` a month.

    `front` is the Pareto front within the budget, cheapest first: no legal combination costs no more than one of them
    and gives up nothing more. `cheapest` is the cheapest legal combination, within the budget or not; None when none
    is legal. `refused` counts combinations that were asked for and turned out to be illegal or without a price.
    """

    name: str
    budget_usd: float
    unchanged: Estimate
    front: tuple[Option, ...]
    cheapest: Option | None
    combinations: int
    refused: tuple[Refusal, ...]

    @property
    def missing_usd(self) -> float:
        """Return what the budget lacks for the cheapest legal combination, 0 where it fits or there is none."""
        return max(0.0, self.cheapest.total.expected - self.budget_usd) if self.cheapest and not self.front else 0.0

    @cached_property
    def load_factor_that_fits(self) -> float | None:
        """Return the largest load factor at which the cheapest is within the budget, in whole thousandths.

        None where it is above it even at 0, and where no combination is legal.
        """
        if self.cheapest is None:
            return None
        usd = self.cheapest.expected_usd_at
        beyond = bisect_right(range(THOUSAND + 1), self.budget_usd, key=lambda step: usd(step / THOUSAND))
        return (beyond - 1) / THOUSAND if beyond else None

    @property
    def keeping_most(self) -> tuple[Option, ...]:
        """Return those of the front from which no other within the budget takes less: fewest losses first.

        The rest of the front saves more than the budget asks for.
        """
        kept = [one for one in self.front if not any(gives_up_less(other, one) for other in self.front)]
        return tuple(sorted(kept, key=lambda option: (len(option.gives_up), option.total.expected)))


def losses_of(settings: Iterable[Setting]) -> tuple[float, ...]:
    """Return the losses of `settings`, one after the other."""
    return tuple(loss for setting in settings for loss in setting.losses)


def no_worse(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Tell whether `one` gives up nothing that `other` keeps."""
    return all(map(le, one, other))


def gives_up_less(one: Option, other: Option) -> bool:
    """Tell whether `one` gives up less than `other`: nothing more, and something less."""
    return one.losses != other.losses and no_worse(one.losses, other.losses)
