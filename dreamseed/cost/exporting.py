"""What the cost exporter is told: each service's rate from the estimate, and what a bill says was spent."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.cost.actuals.comparison import Comparison
from dreamseed.cost.estimate import expected_charges
from dreamseed.planning.stage_plan import StagePlan


def usd_per_hour(plan: StagePlan, book: PriceBook = BOOK) -> dict[str, float]:
    """Return what an hour of the stage costs as expected, by the service of the price book; nothing that is free.

    What has no price is left out, as `dreamseed cost`, which fails then, tells.
    """
    spent: dict[str, list[float]] = {}
    for price, usd in expected_charges(plan, plan.config.usage, book=book):
        spent.setdefault(price.service, []).append(usd)
    rates = {service: math.fsum(usd) / HOURS_PER_MONTH for service, usd in spent.items()}
    return {service: rate for service, rate in rates.items() if rate > 0}


def for_exporter(found: Comparison) -> dict[str, Any]:
    """Return a bill as the cost exporter reads it: USD of its elapsed days by service, 0 for what was not billed.

    Services are named as the estimate names them. Taxes and credits, which have no estimate, are left out.
    """
    begins = datetime(found.month.year, found.month.month, 1, tzinfo=UTC)
    return {
        "month": f"{found.month:%Y-%m}",
        "until": (begins + timedelta(days=found.elapsed)).isoformat(),
        "usd": {one.service: one.days.to_date_usd if one.days else 0.0 for one in found.services},
    }
