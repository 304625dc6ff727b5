"""What Google Cloud watches by itself: the API from outside, and what Cloud Run counts about it.

It keeps watching when the servers, and Prometheus with them, are away. Cloud Run's latency is of whole responses,
streams of generations among them, without a label that tells them apart: its bound is the generation's objective, and
the 300 ms of plain routes is judged by the API's own histogram (alert APIHighLatency). Sources: Cloud Monitoring
metrics list and PromQL mapping, read 2026-11; the growth plan, sections 5 and 6. Label names were never tried against
a real project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from dreamseed.config.cloud import Api
from dreamseed.config.operations import Slo
from dreamseed.monitoring.model import Severity
from dreamseed.monitoring.slo import MINIMUM_FAILURES

INSTANCE_SHARE = 0.9
UPTIME_PERIOD_AWAKE = timedelta(minutes=1)
UPTIME_PERIOD_SLEEPING = timedelta(minutes=5)
"""Where no instance is kept warm each check may start one, and pay for it."""
UPTIME_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class CloudPolicy:
    """An alert on Cloud Monitoring's metrics: a PromQL `query` that gives a result for `duration`."""

    name: str
    title: str
    query: str
    duration: timedelta
    severity: Severity
    documentation: str


def cloud_policies(api: Api, slo: Slo, load_job: str | None = None) -> tuple[CloudPolicy, ...]:
    """Return the policies on the Cloud Run service, its latency, failures and instances, and on the job `load_job`."""
    return (_latency(api, slo), _failures(api, slo), _instances(api), *([_load(load_job)] if load_job else []))


def uptime_period(api: Api) -> timedelta:
    """Return how often each region's checker asks the API."""
    return UPTIME_PERIOD_AWAKE if api.min_instances else UPTIME_PERIOD_SLEEPING


def _selector(api: Api, *more: str) -> str:
    return "{" + ",".join(['monitored_resource="cloud_run_revision"', f'service_name="{api.name}"', *more]) + "}"


def _latency(api: Api, slo: Slo) -> CloudPolicy:
    buckets = f"run_googleapis_com:request_latencies_bucket{_selector(api)}"
    return CloudPolicy(
        name="api-latency",
        title="API p95 above the generation's objective",
        query=f"histogram_quantile(0.95, sum by (le) (rate({buckets}[5m]))) > {slo.generation_p95_ms}",
        duration=timedelta(minutes=5),
        severity=Severity.CRITICAL,
        documentation=f"95 % of all responses, generations among them, take longer than {slo.generation_p95_ms} ms. "
        "Plain routes have an objective of their own (Prometheus, APIHighLatency).",
    )


def _failures(api: Api, slo: Slo) -> CloudPolicy:
    failed, all_of_them = (
        f"sum(increase(run_googleapis_com:request_count{selector}[1h]))"
        for selector in (_selector(api, 'response_code_class="5xx"'), _selector(api))
    )
    return CloudPolicy(
        name="api-failures",
        title="API 5xx ratio",
        query=f"{failed} / {all_of_them} > {slo.max_5xx_ratio:g} and {failed} >= {MINIMUM_FAILURES}",
        duration=timedelta(minutes=5),
        severity=Severity.CRITICAL,
        documentation=f"More than {slo.max_5xx_ratio:g} of an hour's responses, and at least {MINIMUM_FAILURES}, "
        "were 5xx. Roll the last revision back if it began there.",
    )


def _instances(api: Api) -> CloudPolicy:
    bound = math.ceil(api.max_instances * INSTANCE_SHARE)
    active = _selector(api, 'state="active"')
    return CloudPolicy(
        name="api-instances",
        title="API instances near their bound",
        query=f"sum(max_over_time(run_googleapis_com:container_instance_count{active}[5m])) >= {bound}",
        duration=timedelta(minutes=5),
        severity=Severity.WARNING,
        documentation=f"At least {bound} of {api.max_instances} instances are busy: beyond the bound requests wait "
        "and then fail. Raise api.max_instances, or look for what keeps instances busy.",
    )


def _load(job: str) -> CloudPolicy:
    """Return the policy on the load of Cloud SQL, which fails when the copy has other rows than the source."""
    failed = f'{{monitored_resource="cloud_run_job",job_name="{job}",result="failed"}}'
    return CloudPolicy(
        name="recovery-load",
        title="Cloud SQL's load failed",
        query=f"sum(increase(run_googleapis_com:job_completed_execution_count{failed}[1h])) > 0",
        duration=timedelta(minutes=1),
        severity=Severity.WARNING,
        documentation=f"The job {job} failed twice: its log says why. A copy with other rows than the source is "
        "refused and the one before it stays, older than refresh_hours says. The WAL archive bears the RPO.",
    )
