"""The plan's dashboard "DreamSeedAI Elastic Scaling" as Grafana reads it, generated from the stage.

Every query is held to the metric contract, every panel says what it shows and in which unit. Source: the growth plan,
section 7; Grafana 13 documentation, dashboard JSON model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dreamseed.config import Stage, StageConfig
from dreamseed.monitoring.alerts_llm import GPU_UTILIZATION_PERCENT
from dreamseed.monitoring.alerts_operations import BUDGET, STAGE_INFO
from dreamseed.monitoring.metrics import jobs_of
from dreamseed.monitoring.model import Group
from dreamseed.monitoring.rules import recorded_jobs

TITLE = "DreamSeedAI Elastic Scaling"
UID = "dreamseed-elastic-scaling"
SCHEMA_VERSION = 41
CONCURRENT_USERS: Mapping[Stage, int] = {
    Stage.A: 100,
    Stage.B: 500,
    Stage.C: 3_000,
    Stage.D: 7_000,
    Stage.E: 10_000,
}
"""Concurrent users that each stage is built for. Source: the growth plan, section 1."""
COLOURS = ("green", "yellow", "orange", "red", "dark-red")
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCALING_STEP = "1h"
"""How finely the history of stages is searched."""


def elastic_scaling(config: StageConfig, groups: Sequence[Group]) -> dict[str, Any]:
    """Return the dashboard; `groups` are the stage's rules, whose recorded series it may show.

    Raises `PlanError` when a panel asks for a metric that the contract does not know.
    """
    panels = [
        _live_users(config),
        _gpu_utilization(),
        _cost_by_component(),
        _budget_gauge(config),
        _scaling_history(config),
        _cpu(),
        _api_latency(config),
        _queue(),
    ]
    recorded = recorded_jobs(groups)
    for number, panel in enumerate(panels, start=1):
        panel["id"] = number
        panel["gridPos"] = {"h": 8, "w": 12, "x": 12 * ((number - 1) % 2), "y": 8 * ((number - 1) // 2)}
        for target in panel["targets"]:
            jobs_of(
                target["expr"].replace("$__rate_interval", "5m"), f"monitoring › dashboard › {panel['title']}", recorded
            )
    return {
        "uid": UID,
        "title": TITLE,
        "description": "Live users against the stages, GPUs, the month's cost and the history of scaling.",
        "tags": ["dreamseed"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": config.service.time_zone,
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {"text": "Prometheus", "value": "prometheus"},
                }
            ]
        },
        "panels": panels,
    }


def _panel(
    kind: str, title: str, description: str, unit: str, queries: Mapping[str, str], **defaults: Any
) -> dict[str, Any]:
    """Return a panel of `kind` whose `queries` are legends by expression; `defaults` are more field defaults."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(queries.items())
        ],
        "fieldConfig": {"defaults": {"unit": unit, **defaults}, "overrides": []},
        "options": {},
    }


def _steps(values: Sequence[float], colours: Sequence[str]) -> dict[str, Any]:
    """Return thresholds at `values`, green below the first."""
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in zip(values, colours, strict=True)]
    return {"mode": "absolute", "steps": steps}


def _as_lines() -> dict[str, Any]:
    return {"thresholdsStyle": {"mode": "line"}}


def _live_users(config: StageConfig) -> dict[str, Any]:
    # This stage's own figure is the file's; the others' stand in other files.
    users = {**CONCURRENT_USERS, config.service.stage: config.service.capacity.concurrent_users}
    lines = sorted(users.values())
    names = ", ".join(f"{stage} {count:,}" for stage, count in users.items())
    return _panel(
        "timeseries",
        "Live users",
        f"Concurrent users; the lines are what the stages are built for: {names}.",
        "short",
        {"max(edu_concurrent_users)": "users", "max(edu_signups)": "sign-ups"},
        thresholds=_steps(lines, COLOURS),
        custom=_as_lines(),
        min=0,
    )


def _gpu_utilization() -> dict[str, Any]:
    return _panel(
        "timeseries",
        "GPU utilisation",
        f"Per card, 0 to 100 %; the line is where the alert stands ({GPU_UTILIZATION_PERCENT} %).",
        "percent",
        {"avg by (host, gpu) (DCGM_FI_DEV_GPU_UTIL)": "{{host}} GPU {{gpu}}"},
        thresholds=_steps([GPU_UTILIZATION_PERCENT], ["red"]),
        custom=_as_lines(),
        min=0,
        max=100,
    )


def _cost_by_component() -> dict[str, Any]:
    panel = _panel(
        "timeseries",
        "Month's cost by component",
        "Cumulative cost of the calendar month in USD; cloud bills arrive up to a day late.",
        "currencyUSD",
        {"sum by (component) (edu_cost_month_to_date)": "{{component}}"},
        custom={"stacking": {"mode": "normal"}, "fillOpacity": 30},
        min=0,
    )
    panel["options"] = {"legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]}}
    return panel


def _budget_gauge(config: StageConfig) -> dict[str, Any]:
    marks = config.budget.alert_percent
    return _panel(
        "gauge",
        "Budget used",
        f"Share of the month's {config.budget.usd_per_month:g} USD; marks at {', '.join(map(str, marks))} %.",
        "percent",
        {f"100 * sum by (stage) (edu_cost_month_to_date) / on (stage) {BUDGET}": "stage {{stage}}"},
        thresholds=_steps(list(marks), [COLOURS[min(index + 1, len(COLOURS) - 1)] for index in range(len(marks))]),
        min=0,
        max=120,
    )


def _scaling_history(config: StageConfig) -> dict[str, Any]:
    days = config.monitoring.retention_days
    expression = f"min_over_time(timestamp({STAGE_INFO})[{days}d:{SCALING_STEP}]) * 1000"
    panel = _panel(
        "table",
        "Scaling history",
        f"When each stage, number of GPUs and of engines was first seen in the last {days} days.",
        "short",
        {expression: ""},
    )
    panel["targets"][0] |= {"format": "table", "instant": True}
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": "Value"}, "properties": [{"id": "unit", "value": "dateTimeAsIso"}]}
    ]
    panel["transformations"] = [
        {
            "id": "organize",
            "options": {"excludeByName": {"Time": True}, "renameByName": {"Value": "since"}, "indexByName": {}},
        }
    ]
    panel["options"] = {"sortBy": [{"displayName": "since", "desc": True}]}
    return panel


def _cpu() -> dict[str, Any]:
    return _panel(
        "timeseries",
        "CPU",
        "Share of each host's CPU in use.",
        "percentunit",
        {'1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))': "{{host}}"},
        min=0,
        max=1,
    )


def _api_latency(config: StageConfig) -> dict[str, Any]:
    buckets = 'sum by (le) (rate(http_request_duration_seconds_bucket{job="api",kind="plain"}[$__rate_interval]))'
    objectives = [config.slo.api_p95_ms / 1_000, config.slo.api_p99_ms / 1_000]
    return _panel(
        "timeseries",
        "API latency",
        "Plain routes, without generation; the lines are the objectives of p95 and p99.",
        "s",
        {f"histogram_quantile({quantile:g}, {buckets})": f"p{quantile * 100:g}" for quantile in (0.95, 0.99)},
        thresholds=_steps(objectives, ["orange", "red"]),
        custom=_as_lines(),
        min=0,
    )


def _queue() -> dict[str, Any]:
    return _panel(
        "timeseries",
        "LLM queue",
        "Requests that run and that wait, per engine.",
        "short",
        {
            "sum by (instance) (vllm:num_requests_running)": "{{instance}} running",
            "sum by (instance) (vllm:num_requests_waiting)": "{{instance}} waiting",
        },
        min=0,
    )
