"""What is recorded of each day, and what is asked of Prometheus for it: one value a local calendar day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dreamseed.config import StageConfig
from dreamseed.monitoring.alerts_operations import WAYS, busiest_link_mbit
from dreamseed.review.observed import API_P95, CACHE_MISSES, PEAK_USERS, SIGN_UPS

HOURLY_MINUTES = 60


class Measure(StrEnum):
    """The figures of a day; the unit ends the name. Each is written so in the store and in imported files."""

    SIGN_UPS = "sign_ups"
    CONCURRENT_USERS = "concurrent_users"
    API_P95_SECONDS = "api_p95_seconds"
    GPU_UTILIZATION = "gpu_utilization"
    QUEUE_WAIT_SECONDS = "queue_wait_seconds"
    CACHE_MISS_RATIO = "cache_miss_ratio"
    DATABASE_TPS = "database_tps"
    NETWORK_MBIT_PER_SECOND = "network_mbit_per_second"
    REVENUE_USD = "revenue_usd"
    COST_USD = "cost_usd"
    RESERVE_USD = "reserve_usd"
    GPUS_IN_STOCK = "gpus_in_stock"
    SERVER_POWER_WATTS = "server_power_watts"
    LINK_MBIT_PER_SECOND = "link_mbit_per_second"


MEANING: dict[Measure, str] = {
    Measure.SIGN_UPS: "all sign-ups so far, at the day's end",
    Measure.CONCURRENT_USERS: "the most users at once",
    Measure.API_P95_SECONDS: "p95 over all of the day's API requests, generations apart",
    Measure.GPU_UTILIZATION: "the busiest card's highest hourly mean, 0 to 1",
    Measure.QUEUE_WAIT_SECONDS: "p95 of the wait for an engine in the worst hour",
    Measure.CACHE_MISS_RATIO: "misses over reads",
    Measure.DATABASE_TPS: "commits and rollbacks a second, highest five minutes",
    Measure.NETWORK_MBIT_PER_SECOND: "the busiest host's network, its busier way, highest five minutes",
    Measure.REVENUE_USD: "booked revenue of the month that ends on the day",
    Measure.COST_USD: "billed cost of the month that ends on the day",
    Measure.RESERVE_USD: "cash in reserve",
    Measure.GPUS_IN_STOCK: "cards that the shop, or the shelf, has",
    Measure.SERVER_POWER_WATTS: "what a server's power supply and circuit can carry",
    Measure.LINK_MBIT_PER_SECOND: "what the servers' link to the internet can carry, upwards",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What Prometheus is asked for a measure: `{window}` stands for the day's length, asked at its end.

    `samples` is an instant vector that has a value whenever the measure was being recorded: its share of the day is the
    coverage.
    """

    measure: Measure
    expression: str
    samples: str


def questions(config: StageConfig) -> tuple[Question, ...]:
    """Return what is asked of the Prometheus of a stage; what it does not know is imported."""
    database = f'{{datname="{config.postgres.database}"}}'
    tps = " + ".join(f"sum(rate(pg_stat_database_xact_{kind}{database}[5m]))" for kind in ("commit", "rollback"))
    one_way, other_way = map(busiest_link_mbit, WAYS)
    waiting = "histogram_quantile(0.95, sum by (le) (rate(vllm:request_queue_time_seconds_bucket[1h])))"
    minutes = (config.next_stage.gpu_utilization_minutes if config.next_stage else None) or HOURLY_MINUTES
    busiest = f"max(avg_over_time(DCGM_FI_DEV_GPU_UTIL[{minutes}m]))"
    found = [
        Question(measure=Measure.SIGN_UPS, expression=SIGN_UPS, samples="max(edu_signups)"),
        Question(measure=Measure.CONCURRENT_USERS, expression=PEAK_USERS, samples="max(edu_concurrent_users)"),
        Question(
            measure=Measure.API_P95_SECONDS,
            expression=API_P95,
            samples='sum(rate(http_request_duration_seconds_count{job="api",kind="plain"}[5m]))',
        ),
        Question(
            measure=Measure.GPU_UTILIZATION,
            expression=f"max_over_time({busiest}[{{window}}:5m]) / 100",
            samples="max(DCGM_FI_DEV_GPU_UTIL)",
        ),
        Question(
            measure=Measure.QUEUE_WAIT_SECONDS,
            expression=f"max_over_time({waiting}[{{window}}:15m])",
            samples="sum(rate(vllm:request_queue_time_seconds_count[5m]))",
        ),
        Question(
            measure=Measure.DATABASE_TPS,
            expression=f"max_over_time(({_braces(tps)})[{{window}}:5m])",
            samples=f"sum(rate(pg_stat_database_xact_commit{database}[5m]))",
        ),
    ]
    found.append(
        Question(
            measure=Measure.NETWORK_MBIT_PER_SECOND,
            # The larger one of both.
            expression=f"max_over_time(({one_way} > {other_way} or {other_way})[{{window}}:5m])",
            samples=one_way,
        )
    )
    if config.redis.masters:
        found.append(
            Question(
                measure=Measure.CACHE_MISS_RATIO,
                expression=CACHE_MISSES,
                samples="sum(rate(redis_keyspace_hits_total[5m]))",
            )
        )
    return tuple(found)


def _braces(expression: str) -> str:
    """Return the expression for `str.format`."""
    return expression.replace("{", "{{").replace("}", "}}")
