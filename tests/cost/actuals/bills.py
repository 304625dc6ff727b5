"""The example bill, whose sums are known by hand, and an estimate to hold against it."""

from __future__ import annotations

from pathlib import Path

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.model import Confidence, Price, PriceSource, flat
from dreamseed.cost import Estimate, Line
from dreamseed.interval import Interval
from tests.cost.estimates import TODAY
from tests.planning.stages import shipped

EXAMPLE = Path(__file__).parent / "november.csv"
GOLDEN = Path(__file__).parent / "november.txt"
HEADER, FIRST, *_ = EXAMPLE.read_text(encoding="utf-8").splitlines()


def line(vendor: str, service: str, low: float, expected: float, high: float) -> Line:
    """One line of an estimate, whatever its price."""
    price = Price(
        vendor=vendor,
        service=service,
        sku="sku",
        unit="unit",
        tiers=flat(1),
        source=PriceSource(text="by hand", read_on=TODAY),
        confidence=Confidence.HIGH,
    )
    usd = Interval(low, expected, high)
    return Line(
        name=service, line=CostLine.NOT_PLANNED, price=price, quantity=usd, gross_usd=usd, usd=usd, why="by hand"
    )


def by_hand() -> Estimate:
    """The estimate that the example is compared with."""
    return Estimate(
        plan=shipped("stage-b"),
        lines=(
            line("Google Cloud", "Cloud Run", 40, 100, 150),
            line("Google Cloud", "Networking", 5, 20, 25),
            line("Google Cloud", "Networking", 1, 2, 3),
            line("Google Cloud", "Secret Manager", 0, 1, 1),
            line("Cloudflare", "Zone plan", 20, 20, 20),
            line("Backblaze", "B2", 3, 4, 5),
            line("Electricity provider", "Electricity", 50, 80, 90),
        ),
        hardware=(),
        unpriced=(),
        stale=(),
        notes=(),
    )
