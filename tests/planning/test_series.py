"""Which series leave the servers, and how many."""

from __future__ import annotations

import json
import re

import pytest

from dreamseed.monitoring.metrics import METRICS, Job, metrics_of
from dreamseed.monitoring.series import LIMIT
from dreamseed.planning.container import ServicePlan
from dreamseed.planning.services.monitoring import plan_series
from tests.planning.monitored import container, planned, scraped, settings


def kept(plan: ServicePlan, series: str) -> bool:
    """Whether ``job;name`` is sent to Grafana Cloud: the regular expression must match all of it."""
    rule = settings(plan)["remote_write"][0]["write_relabel_configs"][0]
    assert rule["action"] == "keep"
    return re.fullmatch(rule["regex"], series) is not None


def test_only_the_contracts_metrics_leave_the_servers_and_only_from_stage_c_on() -> None:
    assert "remote_write" not in settings(planned("stage-b").monitoring)
    plan = planned("stage-c").monitoring
    for series in ("vllm;vllm:num_requests_waiting", "api;http_requests_total", ";slo:error_ratio:rate1h", ";ALERTS"):
        assert kept(plan, series), series
    for series in (
        "vllm;http_requests_total",
        "node;node_network_info",
        "prometheus;go_goroutines",
        ";x",
        "kafka;ALERTSX",
    ):
        assert not kept(plan, series), series
    assert all(kept(plan, f"{job};up") for job in scraped(plan))


def test_what_no_rule_and_no_dashboard_reads_stays_on_the_servers() -> None:
    plan = planned("stage-c").monitoring
    read = metrics_of(" or ".join(expression for expression in _expressions(plan)))
    for job, metrics in METRICS.items():
        if job in scraped(plan) or job.pushed:
            assert {metric for metric in metrics if kept(plan, f"{job};{metric}")} == metrics & read, job
    assert not kept(plan, "vllm;vllm:prompt_tokens_total")


def _expressions(plan: ServicePlan) -> list[str]:
    """Everything that the stage's Prometheus evaluates and its Grafana asks."""
    rules = settings(plan, path="/etc/prometheus/rules.yml")["groups"]
    boards = [json.loads(file.text) for file in container(plan, "grafana").files if file.path.endswith(".json")]
    asked = [target["expr"] for board in boards for one in board["panels"] for target in one["targets"]]
    asked += [rule["expr"] for group in rules for rule in group["rules"]]
    return [f"({one.replace('$__rate_interval', '5m')})" for one in asked]


@pytest.mark.parametrize(("name", "least"), [("stage-c", 1_000), ("stage-d", 1_400), ("stage-e", 2_000)])
def test_series_stay_far_below_grafana_clouds_limit(name: str, least: int) -> None:
    stage = planned(name)
    series = plan_series(stage.config, stage.hosts, [*stage.services, stage.monitoring])
    assert least < sum(one.total for one in series) < LIMIT / 2
    targets = {Job(job): len(addresses) for job, addresses in scraped(stage.monitoring).items()}
    assert {one.job: one.targets for one in series if one.job in targets} == targets


def test_series_are_counted_only_where_they_are_sent_and_grow_with_the_apis_instances() -> None:
    assert plan_series(planned("stage-b").config, planned("stage-b").hosts, planned("stage-b").services) == ()
    stage = planned("stage-c")
    more = stage.config.model_copy(update={"api": stage.config.api.model_copy(update={"max_instances": 16})})
    totals = [sum(one.total for one in plan_series(one, stage.hosts, stage.services)) for one in (stage.config, more)]
    # Two kinds of four classes of status; and of latency two kinds of ten buckets, and a count each.
    assert totals[1] - totals[0] == 2 * 4 + 2 * 11 + 2
