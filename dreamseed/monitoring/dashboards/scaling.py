"""The plan's dashboard "DreamSeedAI Elastic Scaling". Source: the growth plan, section 7."""

from __future__ import annotations

from collections.abc import Mapping

from dreamseed.config import Stage, StageConfig
from dreamseed.monitoring.alerts_autoscaler import CAP, SPENT
from dreamseed.monitoring.alerts_llm import GPU_UTILIZATION_PERCENT
from dreamseed.monitoring.alerts_operations import BUDGET, STAGE_INFO
from dreamseed.monitoring.dashboards.board import COLOURS, RANGE, Board, Kind, Panel

CONCURRENT_USERS: Mapping[Stage, int] = {
    Stage.A: 100,
    Stage.B: 500,
    Stage.C: 3_000,
    Stage.D: 7_000,
    Stage.E: 10_000,
}
"""Concurrent users that each stage is built for. Source: the growth plan, section 1."""
SCALING_STEP = "1h"
"""How finely the history of stages is searched."""


def elastic_scaling(config: StageConfig) -> Board:
    """Return the dashboard with this stage's objectives, budget and capacity as marks."""
    return Board(
        name="elastic-scaling",
        title="DreamSeedAI Elastic Scaling",
        description="Live users against the stages, GPUs, the month's cost and the history of scaling.",
        panels=(
            _live_users(config),
            _gpu_utilization(),
            _cost_by_component(),
            _usage(),
            _budget_gauge(config),
            _scaling_history(config),
            _spot_workers(),
            _spot_cost(),
            cpu(),
            api_latency(config),
            queue(),
        ),
    )


def _live_users(config: StageConfig) -> Panel:
    # This stage's own figure is the file's; the others' stand in other files.
    users = {**CONCURRENT_USERS, config.service.stage: config.service.capacity.concurrent_users}
    names = ", ".join(f"{stage} {count:,}" for stage, count in users.items())
    return Panel(
        title="Live users",
        description=f"Concurrent users; the lines are what the stages are built for: {names}.",
        unit="short",
        queries={"max(edu_concurrent_users)": "users", "max(edu_signups)": "sign-ups"},
        marks=tuple(zip(sorted(users.values()), COLOURS, strict=True)),
        lines=True,
    )


def _gpu_utilization() -> Panel:
    return Panel(
        title="GPU utilisation",
        description=f"Per card, 0 to 100 %; the line is where the alert stands ({GPU_UTILIZATION_PERCENT} %).",
        unit="percent",
        queries={"avg by (host, gpu) (DCGM_FI_DEV_GPU_UTIL)": "{{host}} GPU {{gpu}}"},
        marks=((GPU_UTILIZATION_PERCENT, "red"),),
        lines=True,
        maximum=100,
    )


def _cost_by_component() -> Panel:
    return Panel(
        title="Month's cost by component",
        description="USD of the calendar month so far: at the stage's rates and its measured usage, or as billed.",
        unit="currencyUSD",
        queries={"sum by (component) (edu_cost_month_to_date)": "{{component}}"},
        stacked=True,
    )


def _usage() -> Panel:
    return Panel(
        title="Usage behind the cost",
        description="What the month's cost is counted with: measured, or as expected where nobody measures.",
        unit="short",
        queries={"max by (usage, source) (edu_cost_usage)": "{{usage}}, {{source}}"},
    )


def _budget_gauge(config: StageConfig) -> Panel:
    marks = config.budget.alert_percent
    colours = [COLOURS[min(index + 1, len(COLOURS) - 1)] for index in range(len(marks))]
    return Panel(
        kind=Kind.GAUGE,
        title="Budget used",
        description=f"Share of the month's {config.budget.usd_per_month:g} USD; "
        f"marks at {', '.join(map(str, marks))} %.",
        unit="percent",
        queries={f"100 * sum by (stage) (edu_cost_month_to_date) / on (stage) {BUDGET}": "stage {{stage}}"},
        marks=tuple(zip(marks, colours, strict=True)),
        maximum=120,
    )


def _scaling_history(config: StageConfig) -> Panel:
    days, now = config.monitoring.retention_days, f"timestamp({STAGE_INFO})"
    return Panel(
        kind=Kind.HISTORY,
        title="Scaling history",
        description=f"When each stage, number of GPUs and of engines was first seen in the last {days} days.",
        unit="short",
        # Whole hours are looked at; until there is one, a stage was first seen now.
        queries={f"min_over_time({now}[{days}d:{SCALING_STEP}]) * 1000 or {now} * 1000": ""},
        minimum=None,
    )


def _spot_workers() -> Panel:
    return Panel(
        title="Spot workers",
        description="Machines that bridge a peak, by where each is in its life; at most two.",
        unit="short",
        queries={"sum by (phase) (edu_autoscaler_workers)": "{{phase}}"},
        stacked=True,
    )


def _spot_cost() -> Panel:
    return Panel(
        title="Spot workers' month",
        description="USD of the month's spot workers, those there now counted to their end, and the cap of a month.",
        unit="currencyUSD",
        queries={SPENT: "spent or committed", CAP: "cap"},
    )


def cpu() -> Panel:
    """Return the CPU of each host."""
    return Panel(
        title="CPU",
        description="Share of each host's CPU in use.",
        unit="percentunit",
        queries={f'1 - avg by (host) (rate(node_cpu_seconds_total{{mode="idle"}}[{RANGE}]))': "{{host}}"},
        maximum=1,
    )


def api_latency(config: StageConfig) -> Panel:
    """Return the API's latency with its objectives as lines."""
    buckets = f'sum by (le) (rate(http_request_duration_seconds_bucket{{job="api",kind="plain"}}[{RANGE}]))'
    return Panel(
        title="API latency",
        description="Plain routes, without generation; the lines are the objectives of p95 and p99.",
        unit="s",
        queries={f"histogram_quantile({quantile:g}, {buckets})": f"p{quantile * 100:g}" for quantile in (0.95, 0.99)},
        marks=((config.slo.api_p95_ms / 1_000, "orange"), (config.slo.api_p99_ms / 1_000, "red")),
        lines=True,
    )


def queue() -> Panel:
    """Return what runs and waits, per engine."""
    return Panel(
        title="LLM queue",
        description="Requests that run and that wait, per engine.",
        unit="short",
        queries={
            "sum by (instance) (vllm:num_requests_running)": "{{instance}} running",
            "sum by (instance) (vllm:num_requests_waiting)": "{{instance}} waiting",
        },
    )
