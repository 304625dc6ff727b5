"""What the cost exporter is told: each service's rate, how usage changes it, and what a bill says was spent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.config.compute import Accelerator
from dreamseed.cost.actuals.comparison import Comparison
from dreamseed.cost.estimate import expected_charges
from dreamseed.planning.stage_plan import StagePlan

SHARES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the expected figure, where prices are computed: between them free quantities end and instances fill up."""
DIGITS = 6
"""Of USD an hour: a millionth is nothing in a month."""


def usd_per_hour(
    plan: StagePlan, book: PriceBook = BOOK, replaced: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return what an hour of the stage costs as expected, by the service of the price book; nothing that is free.

    `replaced` are single figures of the usage that are other than expected. What has no price is left out, as
    `dreamseed cost`, which fails then, tells.
    """
    spent: dict[str, list[float]] = {}
    for price, usd in expected_charges(plan, plan.config.usage, replaced=replaced, book=book):
        spent.setdefault(price.service, []).append(usd)
    rates = {service: math.fsum(usd) / HOURS_PER_MONTH for service, usd in spent.items()}
    return {service: rate for service, rate in rates.items() if rate > 0}


def rates_of(plan: StagePlan, book: PriceBook = BOOK) -> dict[str, Any]:
    """Return what the exporter of a stage reads: its name, USD an hour by service, and how the usage changes them."""
    expected = usd_per_hour(plan, book)
    return {
        "stage": plan.config.service.stage.value,
        "usd_per_hour": {service: round(usd, DIGITS) for service, usd in expected.items()},
        "usage": _usage_tables(plan, book, expected),
    }


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the section `usage` that Prometheus knows: `query` is its mean over ``[$window:$step]``."""

    name: str
    query: str
    at: tuple[float, ...]


def figures(plan: StagePlan) -> tuple[tuple[Figure, ...], ...]:
    """Return what is measured of the usage; figures that cost more together than one by one stand together.

    `load_factor` is the requests over the plan's peak; generations are those that the engines ended, however. An API
    that sleeps measures nothing: the mean is of the hours in which it was awake, rather too much than too little.
    """
    config = plan.config
    capacity, load = config.service.capacity, config.usage.load_factor.expected
    requests = f'sum(rate(http_requests_total{{job="api"}}[5m])) / {capacity.requests_per_second_low:g}'
    generations = f"sum(rate(vllm:request_success_total[5m])) * 86400 / {capacity.daily_active_users:g}"
    asked = config.usage.generations_per_active_user_day.expected
    found: list[tuple[Figure, ...]] = [
        (
            Figure(name="load_factor", query=_mean(requests), at=_around(load)),
            Figure(name="generations_per_active_user_day", query=_mean(generations), at=_around(asked)),
        )
    ]
    if config.vllm.accelerator is Accelerator.NVIDIA:
        busy = _mean("avg(DCGM_FI_DEV_GPU_UTIL) / 100")
        found.append((Figure(name="gpu_busy_ratio", query=busy, at=(0.0, 1.0)),))
    return tuple(found)


def _mean(expression: str) -> str:
    return f"avg_over_time(({expression})[$window:$step])"


def _around(expected: float) -> tuple[float, ...]:
    # A stage that expects none is computed around one of it.
    return tuple((expected or 1.0) * share for share in SHARES)


def _usage_tables(plan: StagePlan, book: PriceBook, expected: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return, for each group of `figures`, USD an hour above `expected` at every combination of their values.

    Services that no value changes are left out. The shape is that of images/cost-exporter/measured.py.
    """
    return [
        {
            "axes": [
                {
                    "name": one.name,
                    "query": one.query,
                    "expected": getattr(plan.config.usage, one.name).expected,
                    "at": list(one.at),
                }
                for one in group
            ],
            "more_usd_per_hour": _more(_grid(plan, book, group, {}), expected),
        }
        for group in figures(plan)
    ]


def _grid(plan: StagePlan, book: PriceBook, left: tuple[Figure, ...], replaced: Mapping[str, float]) -> Any:
    """Return the rates at each combination of the values of `left`, as lists in lists."""
    if not left:
        return usd_per_hour(plan, book, replaced)
    return [_grid(plan, book, left[1:], {**replaced, left[0].name: value}) for value in left[0].at]


def _more(grid: Any, expected: Mapping[str, float]) -> dict[str, Any]:
    """Return the grid by service, without those that are the same everywhere."""
    services = sorted({name for rates in _leaves(grid) for name in rates} | expected.keys())
    found = {name: _of(grid, name, expected.get(name, 0.0)) for name in services}
    return {name: part for name, part in found.items() if any(_leaves(part))}


def _of(grid: Any, service: str, expected: float) -> Any:
    if isinstance(grid, list):
        return [_of(part, service, expected) for part in grid]
    return round(grid.get(service, 0.0) - expected, DIGITS)


def _leaves(grid: Any) -> list[Any]:
    return [leaf for part in grid for leaf in _leaves(part)] if isinstance(grid, list) else [grid]


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
