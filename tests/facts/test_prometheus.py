"""Facts of days that a real Prometheus remembers; the series are made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dreamseed.config import Stage
from dreamseed.facts.collect import collect
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import Fact
from dreamseed.review.prometheus import Prometheus
from tests.gates.situations import stages
from tests.review.history import open_metrics, serving

ZONE = ZoneInfo("Asia/Seoul")
FIRST_DAY, SECOND_DAY = date(2026, 11, 24), date(2026, 11, 25)
FIRST = datetime(2026, 11, 23, 12, tzinfo=ZONE)
MIDNIGHT = 0.5
"""Days from the first moment to the beginning of the first day in Seoul."""


def hours(day: int, hour: float) -> float:
    """The time of an hour of the first or second day, in days since the first moment."""
    return MIDNIGHT + day + hour / 24


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[Measure, date], Fact]]:
    answers = 'http_request_duration_seconds_bucket{job="api",instance="i",kind="plain",le="%s"}'
    series = {
        'edu_signups{job="api",instance="i"}': lambda at: 9_000 + 1_000 * at,
        'edu_concurrent_users{job="api",instance="i"}': lambda at: 510 if hours(0, 20) <= at < hours(0, 21) else 90,
        # One of two cards is busy for two hours of the first day, for a quarter of an hour of the second.
        'DCGM_FI_DEV_GPU_UTIL{job="dcgm",host="server-1",gpu="0"}': lambda at: (
            96 if hours(0, 20) <= at < hours(0, 22) or hours(1, 20) <= at < hours(1, 20.25) else 40
        ),
        'DCGM_FI_DEV_GPU_UTIL{job="dcgm",host="server-1",gpu="1"}': lambda at: 20,
        answers % "0.3": lambda at: 90 * 1_000 * at,
        answers % "0.5": lambda at: 100 * 1_000 * at,
        answers % "+Inf": lambda at: 100 * 1_000 * at,
        'http_request_duration_seconds_count{job="api",instance="i",kind="plain"}': lambda at: 100 * 1_000 * at,
        'redis_keyspace_hits_total{job="redis",instance="r"}': lambda at: 700 * at,
        'redis_keyspace_misses_total{job="redis",instance="r"}': lambda at: 300 * at,
    }
    text = without_night(open_metrics(FIRST, 3, series))
    with serving(tmp_path_factory.mktemp("facts"), text) as url:
        found = collect(Prometheus(url), stages()[Stage.B], [FIRST_DAY, SECOND_DAY], "made up")
        yield {(one.measure, one.day): one for one in found}


def without_night(text: str) -> str:
    """Leave out the concurrent users of three hours of the second day: nobody recorded them."""
    begin = datetime(2026, 11, 25, 2, tzinfo=ZONE)
    lost = (begin.timestamp(), (begin + timedelta(hours=3)).timestamp())
    return "\n".join(
        line
        for line in text.split("\n")
        if not (line.startswith("edu_concurrent_users") and lost[0] <= float(line.split()[-1]) < lost[1])
    )


def test_the_figures_of_a_local_day_are_what_was_recorded(facts: dict[tuple[Measure, date], Fact]) -> None:
    of_day = {measure: one for (measure, day), one in facts.items() if day == FIRST_DAY}
    assert of_day[Measure.SIGN_UPS].value == pytest.approx(10_500, abs=1)
    assert of_day[Measure.CONCURRENT_USERS].value == 510
    assert of_day[Measure.GPU_UTILIZATION].value == pytest.approx(0.96, abs=0.001)
    assert of_day[Measure.API_P95_SECONDS].value == pytest.approx(0.4, abs=0.001)
    assert of_day[Measure.CACHE_MISS_RATIO].value == pytest.approx(0.3, abs=0.001)


def test_a_peak_of_the_next_local_day_is_not_of_this_one(facts: dict[tuple[Measure, date], Fact]) -> None:
    assert facts[Measure.CONCURRENT_USERS, SECOND_DAY].value == 90
    quarter = facts[Measure.GPU_UTILIZATION, SECOND_DAY].value
    assert quarter is not None
    assert 0.5 < quarter < 0.6, "the hourly mean, not the moment"


def test_a_day_with_a_gap_of_three_hours_is_not_known(facts: dict[tuple[Measure, date], Fact]) -> None:
    whole, gap = (facts[Measure.CONCURRENT_USERS, day].coverage for day in (FIRST_DAY, SECOND_DAY))
    assert whole >= 0.99
    assert gap == pytest.approx(21 / 24, abs=0.01)


def test_what_no_engine_recorded_is_unknown(facts: dict[tuple[Measure, date], Fact]) -> None:
    queue = facts[Measure.QUEUE_WAIT_SECONDS, FIRST_DAY]
    assert (queue.value, queue.coverage) == (None, 0.0)
