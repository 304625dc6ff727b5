"""What is asked of Prometheus for a review: every expression in one place, each held to the metric contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dreamseed.monitoring.alerts_llm import GPU_UTILIZATION_PERCENT
from dreamseed.review.prometheus import Prometheus

SIGN_UPS = "max(edu_signups)"
PEAK_USERS = "max(max_over_time(edu_concurrent_users[{window}]))"
REQUESTS = 'sum(increase(http_requests_total{{job="api"}}[{window}]))'
COST = "sum(edu_cost_month_to_date)"
HIGHEST_COST = "max_over_time(sum(edu_cost_month_to_date)[{window}:1h])"
FORECAST = "sum(edu_cost_month_forecast)"
API_P95 = (
    "histogram_quantile(0.95, "
    'sum by (le) (increase(http_request_duration_seconds_bucket{{job="api",kind="plain"}}[{window}])))'
)
QUEUE_P95 = "histogram_quantile(0.95, sum by (le) (increase(vllm:request_queue_time_seconds_bucket[{window}])))"
BUSY_SHARE = f"avg_over_time((max(DCGM_FI_DEV_GPU_UTIL) >= bool {GPU_UTILIZATION_PERCENT})[{{window}}:5m])"
CACHE_MISSES = (
    "sum(increase(redis_keyspace_misses_total[{window}])) / (sum(increase(redis_keyspace_hits_total[{window}])) "
    "+ sum(increase(redis_keyspace_misses_total[{window}])))"
)
BUDGETS_LEFT = "slo:error_budget_remaining:ratio"
FIRED = 'count by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{window}]))'
EXPRESSIONS = (
    *(SIGN_UPS, PEAK_USERS, REQUESTS, COST, HIGHEST_COST, FORECAST, API_P95, QUEUE_P95, BUSY_SHARE, CACHE_MISSES),
    *(BUDGETS_LEFT, FIRED),
)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a period of `days` until `end` was like; None is unknown. Costs in USD, latencies in seconds, shares 0 to 1.

    `before` is the same of the period before it.
    """

    days: int
    end: datetime
    sign_ups: float | None
    sign_ups_at_begin: float | None
    peak_users: float | None
    requests: float | None
    cost_usd: float | None
    month_to_date_usd: float | None
    forecast_usd: float | None
    api_p95_seconds: float | None
    queue_p95_seconds: float | None
    gpu_busy_share: float | None
    cache_miss_ratio: float | None
    budgets_left: dict[str, float]
    fired: tuple[str, ...]
    before: Observed | None = None

    @property
    def new_sign_ups(self) -> float | None:
        """Return how many signed up within the period."""
        if self.sign_ups is None or self.sign_ups_at_begin is None:
            return None
        return self.sign_ups - self.sign_ups_at_begin


def observe(prometheus: Prometheus, end: datetime, days: int, *, again: bool = True) -> Observed:
    """Return what Prometheus knows of the `days` until `end`, and of as many before. Raises `DreamSeedError`."""
    begin = end - timedelta(days=days)

    def at(expression: str, moment: datetime = end) -> float | None:
        return prometheus.value(expression.format(window=f"{days}d"), moment)

    now, then, highest = at(COST), at(COST, begin), at(HIGHEST_COST)
    return Observed(
        days=days,
        end=end,
        sign_ups=at(SIGN_UPS),
        sign_ups_at_begin=at(SIGN_UPS, begin),
        peak_users=at(PEAK_USERS),
        requests=at(REQUESTS),
        cost_usd=_spent(now, then, highest),
        month_to_date_usd=now,
        forecast_usd=at(FORECAST),
        api_p95_seconds=at(API_P95),
        queue_p95_seconds=at(QUEUE_P95),
        gpu_busy_share=at(BUSY_SHARE),
        cache_miss_ratio=at(CACHE_MISSES),
        budgets_left=prometheus.values(BUDGETS_LEFT, end, "slo"),
        fired=tuple(sorted(prometheus.values(FIRED.format(window=f"{days}d"), end, "alertname"))),
        before=observe(prometheus, begin, days, again=False) if again else None,
    )


def _spent(now: float | None, then: float | None, highest: float | None) -> float | None:
    """Return what was spent between two readings of a sum that begins anew with each month."""
    if now is None or then is None or highest is None:
        return None
    return now - then if now >= then else now + highest - then
