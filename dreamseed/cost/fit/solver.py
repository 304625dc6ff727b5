"""The search: every combination is priced, and what may stand on the front is planned, checked and estimated.

Candidates are taken cheapest first. One that gives up nothing less than a legal, no dearer one before it is dominated,
whatever planning would say of it; only the others are planned. Prices need a plan too, but knobs that change the
configuration alone share one: their candidates are priced on the plan of the structural knobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from typing import Any

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.config import StageConfig, merge, parse_stage
from dreamseed.cost.estimate import Estimate, estimate, expected_usd
from dreamseed.cost.fit.knobs import KNOBS
from dreamseed.cost.fit.option import FitResult, Option, Part, Refusal, losses_of, no_worse
from dreamseed.cost.fit.setting import HOURS_PER_DAY, NIGHT_HOURS, Knob, Setting, written
from dreamseed.errors import ConfigErrors, DreamSeedError, PlanError
from dreamseed.interval import Interval, Scenario
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.stage_plan import StagePlan

CLOCK_SKU = "scheduler-job"
CLOCK_JOBS = 2
"""One sets the night's value, one the day's."""
CENT_DIGITS = 2

Planner = Callable[[StageConfig, str], StagePlan]
Changes = tuple[str, ...]
"""What is laid over the stage file, as ``key=value``: the name of one configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    settings: tuple[Setting, ...]
    parts: tuple[tuple[int, dict[str, Any]], ...]
    usd: float

    @property
    def order(self) -> tuple[float, float]:
        """Cheapest first, to the cent; of two at the same price the one that gives up less."""
        return round(self.usd, CENT_DIGITS), sum(losses_of(self.settings))


def fit_overrun(estimated: Estimate, today: date) -> FitResult | None:
    """Return what would bring an estimated stage within its own budget, None where it is. Raises as `fit`."""
    if estimated.headroom_usd() >= 0:
        return None
    return fit(estimated.plan.config, estimated.plan.name, estimated.budget_usd, today=today)


def fit(
    config: StageConfig,
    name: str,
    budget_usd: float,
    *,
    knobs: Sequence[Knob] = KNOBS,
    book: PriceBook = BOOK,
    today: date | None = None,
    planner: Planner = plan_stage,
) -> FitResult:
    """Return the settings of `knobs` whose expected cost is within `budget_usd` a month, and what they give up.

    `name` begins the places in reasons. Raises `PlanError` when `config` itself cannot be planned.
    """
    space = _Space(config=config, name=name, knobs=knobs, book=book, today=today, planner=planner)
    unchanged = estimate(planner(config, name), book=book, today=today)
    front: list[Option] = []
    cheapest: Option | None = None
    candidates = sorted(space.candidates(), key=lambda candidate: candidate.order)
    for candidate in candidates:
        within = candidate.order[0] <= budget_usd
        if cheapest is not None and not within:
            break
        losses = losses_of(candidate.settings)
        if any(no_worse(kept.losses, losses) for kept in front):
            continue
        option = space.option(candidate)
        if option is None:
            continue
        cheapest = cheapest or option
        if within:
            front.append(option)
    return FitResult(
        name=name,
        budget_usd=budget_usd,
        unchanged=unchanged,
        front=tuple(front),
        cheapest=cheapest,
        combinations=len(candidates),
        refused=tuple(Refusal(reason=reason, count=count) for reason, count in space.refused.most_common()),
    )


@dataclass(kw_only=True)
class _Space:
    """All combinations, with what was already parsed, planned and estimated."""

    config: StageConfig
    name: str
    knobs: Sequence[Knob]
    book: PriceBook
    today: date | None
    planner: Planner
    refused: Counter[str] = field(default_factory=Counter)
    _configs: dict[Changes, StageConfig | None] = field(default_factory=dict)
    _shared_plans: dict[Changes, StagePlan | None] = field(default_factory=dict)
    _prices: dict[Changes, float | None] = field(default_factory=dict)
    _estimates: dict[Changes, Estimate | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._document = self.config.model_dump(mode="json")

    def candidates(self) -> Iterator[_Candidate]:
        """Yield every well-formed combination with its price."""
        for settings in product(*(knob.settings(self.config) for knob in self.knobs)):
            structural: dict[str, Any] = {}
            for knob, setting in zip(self.knobs, settings, strict=True):
                if knob.structural:
                    structural = merge(structural, setting.change)
            parts = _parts(settings)
            prices = [self._price(change, structural) for _, change in parts]
            known = [price for price in prices if price is not None]
            if len(known) == len(prices):
                shares = (hours / HOURS_PER_DAY for hours, _ in parts)
                usd = sum(price * share for price, share in zip(known, shares, strict=True))
                clock = self._clock(parts)
                usd += clock.expected if clock else 0.0
                yield _Candidate(settings=settings, parts=parts, usd=usd)

    def option(self, candidate: _Candidate) -> Option | None:
        """Return the candidate planned, checked and estimated, or None, and count why."""
        found = [self._estimated(change) for _, change in candidate.parts]
        clock = self._clock(candidate.parts)
        reasons = [each for each in found if isinstance(each, str)]
        if clock is None:
            reasons.append(f"no price of {CLOCK_SKU}")
        if reasons or clock is None:
            self.refused.update(reasons[:1])
            return None
        estimates = [each for each in found if isinstance(each, Estimate)]
        parts = zip(candidate.parts, estimates, strict=True)
        return Option(
            settings=candidate.settings,
            parts=tuple(Part(hours=hours, estimate=each) for (hours, _), each in parts),
            clock=clock,
        )

    def _parsed(self, change: dict[str, Any]) -> StageConfig | None:
        key = tuple(written(change))
        if key not in self._configs:
            try:
                self._configs[key] = parse_stage(self._document, change, self.name)
            except ConfigErrors as errors:
                self.refused[_reason(errors.errors[0])] += 1
                self._configs[key] = None
        return self._configs[key]

    def _price(self, change: dict[str, Any], structural: dict[str, Any]) -> float | None:
        key = tuple(written(change))
        if key not in self._prices:
            config = self._parsed(change)
            plan = None if config is None else self._plan_for_price(config, structural)
            self._prices[key] = None if plan is None else expected_usd(plan, plan.config.usage, book=self.book)
        return self._prices[key]

    def _plan_for_price(self, config: StageConfig, structural: dict[str, Any]) -> StagePlan | None:
        """Return a plan with all that prices are computed from, unchecked but for what the structural knobs share."""
        key = tuple(written(structural))
        if key not in self._shared_plans:
            shared = self._parsed(structural)
            self._shared_plans[key] = None if shared is None else self._planned(shared)
        plan = self._shared_plans[key]
        return self._planned(config) if plan is None else replace(plan, config=config)

    def _planned(self, config: StageConfig) -> StagePlan | None:
        try:
            return self.planner(config, self.name)
        except PlanError as error:
            self.refused[_reason(error)] += 1
            return None

    def _estimated(self, change: dict[str, Any]) -> Estimate | str:
        """Return the estimate of the stage with `change`, planned whole, or why there is none."""
        key = tuple(written(change))
        if key not in self._estimates:
            try:
                config = parse_stage(self._document, change, self.name)
                found = estimate(self.planner(config, self.name), book=self.book, today=self.today)
                self._estimates[key] = str(found.unpriced[0]) if found.unpriced else found
            except ConfigErrors as errors:
                self._estimates[key] = _reason(errors.errors[0])
            except PlanError as error:
                self._estimates[key] = _reason(error)
        return self._estimates[key]

    def _clock(self, parts: Sequence[object]) -> Interval | None:
        """Return what the jobs cost that switch between `parts`, beside those of the stage; None without a price."""
        if len(parts) == 1:
            return Interval.exact(0)
        price = self.book.find(CLOCK_SKU, self.config.service.region)
        if price is None:
            return None
        # The jobs of the recovery's load are counted as if there were one, so that this is never too cheap.
        net = {each: price.net_usd(1 + CLOCK_JOBS, each) - price.net_usd(1, each) for each in Scenario}
        return Interval(*(net[each] for each in Scenario))


def _parts(settings: Sequence[Setting]) -> tuple[tuple[int, dict[str, Any]], ...]:
    """Return hours of a day, and what is laid over the stage file in them."""
    day: dict[str, Any] = {}
    night: dict[str, Any] = {}
    for setting in settings:
        day = merge(day, setting.change)
        night = merge(night, setting.change if setting.night is None else setting.night)
    if day == night:
        return ((HOURS_PER_DAY, day),)
    return ((HOURS_PER_DAY - NIGHT_HOURS, day), (NIGHT_HOURS, night))


def _reason(error: DreamSeedError) -> str:
    return f"{error.where}: {error.what}"
