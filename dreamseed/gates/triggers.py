"""The triggers of the next stage, as its stage file names them, over days in a row.

Source: the growth plan, sections 3 and 12.16. Each is also a line of the checklist: any one opens the review, the
promotion needs all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dreamseed.catalog.promotion_rules import API_P95_DAYS, GPU_DAYS, OTHER_DAYS, PEAK_DAYS
from dreamseed.config.operations import NextStage
from dreamseed.facts.measures import Measure
from dreamseed.gates.situation import InARow


def triggers(following: NextStage) -> Iterator[InARow]:
    """Yield the questions that `following` asks, in the plan's order."""
    days = following.sustained_days
    yield _above("sign-ups", "sign-ups", Measure.SIGN_UPS, following.sign_ups, days, "{:,.0f}".format)
    least = following.concurrent_users
    yield InARow(
        key="concurrent-users",
        measure=Measure.CONCURRENT_USERS,
        days=days,
        asks=f"concurrent users at {least:,} or more at peak, {_row(days)}",
        holds=lambda value: value >= least,
        shown="{:,.0f}".format,
    )
    if following.gpu_utilization is not None:
        yield _above(
            "gpu-utilization",
            "GPU utilisation",
            Measure.GPU_UTILIZATION,
            following.gpu_utilization,
            GPU_DAYS,
            "{:.0%}".format,
        )
    if following.api_p95_ms is not None:
        limit = following.api_p95_ms / 1_000
        yield _above(
            "api-p95", "API p95", Measure.API_P95_SECONDS, limit, API_P95_DAYS, lambda value: f"{value * 1_000:,.0f} ms"
        )
    if following.queue_wait_seconds is not None:
        limit = following.queue_wait_seconds
        yield _above(
            "queue-wait", "wait for an engine at peak", Measure.QUEUE_WAIT_SECONDS, limit, PEAK_DAYS, "{:g} s".format
        )
    if following.cache_miss_ratio is not None:
        limit = following.cache_miss_ratio
        yield _above("cache-misses", "cache misses", Measure.CACHE_MISS_RATIO, limit, OTHER_DAYS, "{:.1%}".format)
    if following.database_tps is not None:
        yield _above(
            "database-tps",
            "database transactions",
            Measure.DATABASE_TPS,
            following.database_tps,
            OTHER_DAYS,
            "{:,.0f}/s".format,
        )
    if following.network_mbit_per_second is not None:
        limit = following.network_mbit_per_second
        yield _above("network", "network", Measure.NETWORK_MBIT_PER_SECOND, limit, OTHER_DAYS, "{:,.0f} Mbit/s".format)


def _above(key: str, noun: str, measure: Measure, limit: float, days: int, shown: Callable[[float], str]) -> InARow:
    return InARow(
        key=key,
        measure=measure,
        days=days,
        asks=f"{noun} above {shown(limit)}, {_row(days)}",
        holds=lambda value: value > limit,
        shown=shown,
    )


def _row(days: int) -> str:
    return f"{days} days in a row" if days > 1 else "on the last day"
