"""From what is used to what it costs: tiers and free quantities run on over all uses of one price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices import Price, PriceBook
from dreamseed.config.usage import Commitment
from dreamseed.cost.quantities.use import Use
from dreamseed.interval import Interval, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one use costs in one scenario: `gross_usd` by its price, minus free quantities, discounts and so on."""

    quantity: float
    gross_usd: float
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an estimate: quantity × price − what is taken off = USD a month, each as low, expected and high.

    What is taken off is what is free, a commitment's discount, and what another line already paid.
    """

    name: str
    line: CostLine
    price: Price
    quantity: Interval
    gross_usd: Interval
    usd: Interval
    why: str

    @property
    def taken_off_usd(self) -> float:
        """Return the expected difference between gross and net."""
        return self.gross_usd.expected - self.usd.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """A use without a price: nothing is 0 because nobody knows its price, so an estimate with one fails."""

    name: str
    sku: str
    region: str
    known_regions: tuple[str, ...]

    def __str__(self) -> str:
        known = f"known in {', '.join(self.known_regions)}" if self.known_regions else "known nowhere"
        return f"{self.name}: no price of {self.sku} in {self.region} ({known})"


@dataclass(slots=True)
class Bill:
    """The charges of one scenario, in order; `scenarios` of single SKUs may differ, to see what one price moves."""

    book: PriceBook
    scenario: Scenario
    commitment: Commitment
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    free_usd_used: dict[str, float] = field(default_factory=dict)

    def charge(self, use: Use) -> Charge | None:
        """Return what `use` costs after all before it, or None where the book has no price for it."""
        price = self.book.find(use.sku, use.region)
        if price is None:
            return None
        scenario = self.scenarios.get(use.sku, self.scenario)
        before = self.used.get(use.sku, 0.0)
        billed = max(0.0, use.quantity - use.free)
        self.used[use.sku] = before + billed
        gross = price.gross_usd(before + use.quantity, scenario) - price.gross_usd(before, scenario)
        rest = gross
        if price.free_quantity or use.free:
            already = _without_free_quantity(price, before, scenario)
            rest = _without_free_quantity(price, before + billed, scenario) - already
        rest -= self._paid_elsewhere(use)
        rest -= self._free_spending(price, rest)
        share = price.discounts.get(self.commitment, 0.0)
        return Charge(quantity=use.quantity, gross_usd=gross, usd=rest * (1 - share))

    def _free_spending(self, price: Price, usd: float) -> float:
        """Return how much of `usd` the price's pool of free spending still covers, and take it from the pool."""
        spent = self.free_usd_used.get(price.free_pool, 0.0)
        covered = min(usd, price.free_usd - spent) if price.free_usd else 0.0
        self.free_usd_used[price.free_pool] = spent + covered
        return covered

    def _paid_elsewhere(self, use: Use) -> float:
        if not use.paid_as:
            return 0.0
        other = self.book.find(use.paid_as, use.region)
        if other is None:
            return 0.0
        return other.gross_usd(use.paid_quantity, self.scenarios.get(use.paid_as, self.scenario))


def _without_free_quantity(price: Price, quantity: float, scenario: Scenario) -> float:
    free = price.gross_usd(min(quantity, price.free_quantity), scenario)
    return max(0.0, price.gross_usd(quantity, scenario) - free)


def price_uses(
    by_scenario: Mapping[Scenario, Sequence[Use]], book: PriceBook, commitment: Commitment
) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Unpriced, ...]]:
    """Return the lines, those of hardware, and what has no price, of the same uses in each of the three scenarios."""
    bills = {scenario: Bill(book, scenario, commitment) for scenario in Scenario}
    lines: list[Line] = []
    hardware: list[Line] = []
    unpriced: list[Unpriced] = []
    for same in zip(*(by_scenario[scenario] for scenario in Scenario), strict=True):
        low, use, high = same
        charges = [bills[scenario].charge(each) for scenario, each in zip(Scenario, same, strict=True)]
        price = book.find(use.sku, use.region)
        if price is None or any(charge is None for charge in charges):
            unpriced.append(
                Unpriced(name=use.name, sku=use.sku, region=use.region, known_regions=book.regions(use.sku))
            )
            continue
        known = [charge for charge in charges if charge is not None]
        (hardware if use.hardware else lines).append(
            Line(
                name=use.name,
                line=use.line,
                price=price,
                quantity=Interval.mended(low.quantity, use.quantity, high.quantity),
                gross_usd=Interval.mended(*(charge.gross_usd for charge in known)),
                usd=Interval.mended(*(charge.usd for charge in known)),
                why=use.why,
            )
        )
    return tuple(lines), tuple(hardware), tuple(unpriced)
