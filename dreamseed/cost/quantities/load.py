"""The load of a month in one scenario: requests, open requests, generations and bytes. All figures are averages."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dreamseed.catalog.prices.model import DAYS_PER_MONTH, SECONDS_PER_MONTH
from dreamseed.catalog.prices.run import BILLING_STEP_SECONDS
from dreamseed.cost.quantities.use import Month
from dreamseed.monitoring.cloud_policies import uptime_period

SECONDS_PER_DAY = 86_400
UPTIME_CHECK_REGIONS = 6
"""An uptime check asks from six places where no regions are chosen. Source: Google's documentation, recalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests and generations a second, requests open at once, and bytes a month by path."""

    requests_per_second: float
    generations_per_second: float
    open_requests: float
    answer_bytes: float
    streamed_bytes: float
    content_bytes: float
    content_miss_bytes: float
    backend_bytes: float

    @property
    def requests_per_month(self) -> float:
        """Return the API's requests in a month."""
        return self.requests_per_second * SECONDS_PER_MONTH


def load_of(month: Month) -> Load:
    """Return the load.

    A generation is a request of its own length; the others are open for `request_milliseconds`, rounded up to the
    100 ms that Cloud Run bills. Uptime checks are requests too: they open an instance where nobody else does.
    """
    capacity = month.plan.config.service.capacity
    users = capacity.daily_active_users
    checks = UPTIME_CHECK_REGIONS / uptime_period(month.plan.config.api).total_seconds()
    requests = capacity.requests_per_second_low * month.load_factor + checks
    generations = users * month.generations_per_active_user_day / SECONDS_PER_DAY
    others = max(0.0, requests - generations)
    content = users * month.content_mb_per_active_user_day * 1e6 * DAYS_PER_MONTH
    return Load(
        requests_per_second=others + generations,
        generations_per_second=generations,
        open_requests=(
            others * billed_seconds(month.request_milliseconds / 1_000)
            + generations * billed_seconds(month.generation_seconds)
        ),
        answer_bytes=(others + generations) * SECONDS_PER_MONTH * month.response_kb * 1e3,
        streamed_bytes=(generations * SECONDS_PER_MONTH * month.tokens_per_generation * month.streamed_bytes_per_token),
        content_bytes=content,
        content_miss_bytes=content * month.edge_miss_ratio,
        backend_bytes=(others + generations) * SECONDS_PER_MONTH * month.backend_kb * 1e3,
    )


def billed_seconds(seconds: float) -> float:
    """Return `seconds` rounded up to Cloud Run's step; a hair above a step, as floats are, is that step."""
    return math.ceil(round(seconds / BILLING_STEP_SECONDS, 6)) * BILLING_STEP_SECONDS
