"""Tickets that the next stage's review is due, one a trigger. Source: the growth plan, sections 3, 12.11 and 12.16.

Any one trigger opens the review; what decides is the promotion's checklist over daily facts.
"""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.config import StageConfig
from dreamseed.config.operations import NextStage
from dreamseed.monitoring.alerts_operations import WAYS, busiest_link_mbit
from dreamseed.monitoring.alerts_stores import miss_ratio
from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity

RUNBOOK = "NextStage"


def growth_group(config: StageConfig) -> Group:
    """Return an alert for each trigger that the stage file names; none at the last stage."""
    following = config.next_stage
    return Group(name="growth", alerts=tuple(_triggers(config, following)) if following else ())


def _triggers(config: StageConfig, following: NextStage) -> Iterator[Alert]:
    yield _due("SignUps", f"max(edu_signups) > {following.sign_ups}", 3_600, "{{ $value | humanize }} sign-ups")
    yield _due(
        "ConcurrentUsers",
        f"max(max_over_time(edu_concurrent_users[1d])) >= {following.concurrent_users}",
        3_600,
        "{{ $value | humanize }} users at once within a day",
    )
    if following.api_p95_ms is not None:
        buckets = 'http_request_duration_seconds_bucket{job="api",kind="plain"}'
        yield _due(
            "ApiLatency",
            f"histogram_quantile(0.95, sum by (le) (rate({buckets}[1h]))) > {following.api_p95_ms / 1_000:g}",
            3_600,
            "p95 of the API is {{ $value | humanizeDuration }} over an hour",
        )
    if following.gpu_utilization is not None:
        minutes = following.gpu_utilization_minutes or 60
        yield _due(
            "GpuBusy",
            "max by (host, gpu) (avg_over_time(DCGM_FI_DEV_GPU_UTIL"
            f"[{minutes}m])) > {following.gpu_utilization * 100:g}",
            0,
            f"GPU {{{{ $labels.gpu }}}} was {{{{ $value | humanize }}}} % busy over {minutes} minutes",
        )
    if following.queue_wait_seconds is not None:
        yield _due(
            "QueueWait",
            "histogram_quantile(0.95, sum by (le) (rate(vllm:request_queue_time_seconds_bucket[15m]))) "
            f"> {following.queue_wait_seconds}",
            900,
            "95 % of generations wait up to {{ $value | humanize }} s",
        )
    if following.cache_miss_ratio is not None and config.redis.masters:
        yield _due(
            "CacheMisses",
            f"{miss_ratio('1h')} > {following.cache_miss_ratio:g}",
            3_600,
            "{{ $value | humanizePercentage }} of reads miss the cache",
        )
    if following.database_tps is not None:
        commits, rollbacks = (
            f'sum(rate(pg_stat_database_xact_{kind}{{datname="{config.postgres.database}"}}[5m]))'
            for kind in ("commit", "rollback")
        )
        yield _due(
            "DatabaseTransactions",
            f"{commits} + {rollbacks} > {following.database_tps}",
            900,
            "{{ $value | humanize }} transactions a second",
        )
    if following.network_mbit_per_second is not None:
        # Each direction has the whole speed of the card.
        limit = following.network_mbit_per_second
        yield _due(
            "Network",
            " or ".join(f"{busiest_link_mbit(way)} > {limit}" for way in WAYS),
            900,
            "a host's network carries {{ $value | humanize }} Mbit/s",
        )


def _due(trigger: str, expression: str, for_seconds: int, summary: str) -> Alert:
    return Alert(
        name=f"NextStage{trigger}",
        expression=expression,
        for_seconds=for_seconds,
        severity=Severity.WARNING,
        component="growth",
        concern=Concern.SATURATION,
        owner=Owner.FINANCE,
        runbook=RUNBOOK,
        summary=f"{summary}: a trigger of the next stage",
        action="Open the review of the next stage: its checklist decides, not this alert.",
    )
