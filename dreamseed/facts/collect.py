"""Daily facts from a stage's Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from dreamseed.config import StageConfig
from dreamseed.facts.days import bounds
from dreamseed.facts.measures import questions
from dreamseed.facts.store import Fact
from dreamseed.review.prometheus import Prometheus


def collect(prometheus: Prometheus, config: StageConfig, days: Iterable[date], source: str) -> Iterator[Fact]:
    """Yield what Prometheus knows of each of `days`, local calendar days that are over. Raises `DreamSeedError`.

    A measure that it has no sample of is a fact without a value: unknown, and recorded as such.
    """
    zone = ZoneInfo(config.service.time_zone)
    step = config.monitoring.scrape_interval_seconds
    for day in days:
        begin, end = bounds(day, zone)
        seconds = int((end - begin).total_seconds())
        for asked in questions(config):
            query = asked.expression.format(window=f"{seconds}s")
            samples = prometheus.value(f"count_over_time(({asked.samples})[{seconds}s:{step}s])", end) or 0.0
            yield Fact(
                measure=asked.measure,
                day=day,
                value=prometheus.value(query, end),
                coverage=min(1.0, samples * step / seconds),
                source=source,
                query=query,
            )
