"""Bills of a few uses, for invoices computed by hand."""

from __future__ import annotations

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices import BOOK
from dreamseed.config.usage import Commitment
from dreamseed.cost.pricing import Bill
from dreamseed.cost.quantities.use import Use
from dreamseed.interval import Scenario

MONTH_HOURS = 730
MONTH_SECONDS = 2_628_000


def use(
    sku: str, quantity: float, *, region: str = "us-central1", free: float = 0.0, paid: tuple[str, float] = ("", 0)
) -> Use:
    """One use; `paid` is another SKU and the units of it that are not charged beside these."""
    return Use(
        name=sku,
        sku=sku,
        quantity=quantity,
        line=CostLine.NOT_PLANNED,
        why="",
        region=region,
        free=free,
        paid_as=paid[0],
        paid_quantity=paid[1],
    )


def bill(*uses: Use, scenario: Scenario = Scenario.EXPECTED, commitment: Commitment = Commitment.NONE) -> float:
    """The sum of what `uses` cost in a month."""
    whole = Bill(BOOK, scenario, commitment)
    charges = [whole.charge(each) for each in uses]
    assert None not in charges, "a use has no price"
    return sum(charge.usd for charge in charges if charge is not None)
