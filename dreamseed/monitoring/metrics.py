"""Holding expressions to the metric contract: names, labels, types and bounds that exist, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from dreamseed.errors import PlanError
from dreamseed.monitoring.contract import EXPORTERS, Job, Kind, Metric
from dreamseed.monitoring.promql import PRESENCE, RATES, Grouping, Query, Read, parsed

__all__ = ["BUILT_IN", "METRICS", "Job", "jobs_of", "metrics_of"]

METRICS: Mapping[Job, frozenset[str]] = MappingProxyType(
    {one.job: frozenset(name for metric in one.metrics for name in metric.series) for one in EXPORTERS}
)
"""The names of the series of each job."""
BUILT_IN: Mapping[str, frozenset[str]] = MappingProxyType(
    {"up": frozenset(), "ALERTS": frozenset({"alertname", "alertstate", "severity"})}
)
"""Made by Prometheus itself, with their labels."""
TARGET_LABELS = frozenset({"job", "instance", "host", "shard"})
"""What the scrape configuration gives to each target's series (`shard` to a database's)."""
SHARED_NAMES = frozenset({"http_requests_total", "http_request_duration_seconds"})
"""vLLM exports these too, with other labels and bounds: whoever reads them must say whose. Source: a scrape of 0.32."""

_JOB_OF = {name: job for job, names in METRICS.items() for name in names}
_METRIC_OF: dict[str, Metric] = {
    name: metric for exporter in EXPORTERS for metric in exporter.metrics for name in metric.series
}
_HOME = "dreamseed/monitoring/contract.py"


def metrics_of(expression: str) -> frozenset[str]:
    """Return the names of the series that a PromQL expression reads. Raises ValueError where it is no PromQL."""
    return parsed(expression).names


def jobs_of(
    expression: str, where: str, recorded: Mapping[str, frozenset[Job]] = MappingProxyType({})
) -> frozenset[Job]:
    """Return the jobs without which `expression` can never give a result.

    `where` names the rule or panel; `recorded` tells the jobs behind each recording rule. Raises `PlanError` for
    what is no PromQL, for a metric, label, job or bound that the contract does not know, and for a function of counters
    over a gauge or the other way round.
    """
    query = _query(expression, where)
    jobs: set[Job] = set()
    for name in sorted(query.names - BUILT_IN.keys()):
        if name in recorded:
            jobs |= recorded[name]
        elif name in _JOB_OF:
            jobs.add(_JOB_OF[name])
        else:
            raise PlanError(
                where,
                f"no job exports the metric '{name}'",
                "an alert or a panel on a metric that does not exist stays silent for ever",
                f"a name of EXPORTERS in {_HOME}, or add it there with its source",
            )
    for fault, why, remedy in _faults(query, recorded):
        raise PlanError(where, fault, why, remedy)
    return frozenset(jobs | {Job(value) for value in _equal_jobs(query)})


def _query(expression: str, where: str) -> Query:
    try:
        return parsed(expression)
    except ValueError as error:
        raise PlanError(where, f"is no PromQL: {error}", "Prometheus would not load it", "an expression") from error


def _equal_jobs(query: Query) -> Iterator[str]:
    # A matcher such as job!~"node|vllm" names jobs that are left out.
    for read in query.reads:
        yield from (value for label, value in read.matchers if label == "job" and value in set(Job))


def _faults(query: Query, recorded: Mapping[str, frozenset[Job]]) -> Iterator[tuple[str, str, str]]:
    for read in query.reads:
        yield from _read_faults(read)
        metric = _METRIC_OF.get(read.name)
        if metric is not None:
            yield from _kind_faults(read, metric)
    for grouping in query.groupings:
        yield from _grouping_faults(grouping, recorded)
    for name, bound in query.quantile_bounds:
        bounds = _METRIC_OF[name].bounds if name in _METRIC_OF else (bound,)
        if bound not in bounds:
            yield (
                f"compares a quantile of '{name}' with {bound:g}",
                "between two bounds a quantile is a guess along a straight line",
                f"one of {', '.join(f'{one:g}' for one in bounds)}",
            )


def _read_faults(read: Read) -> Iterator[tuple[str, str, str]]:
    metric = _METRIC_OF.get(read.name)
    known = TARGET_LABELS | (metric.labels if metric else BUILT_IN.get(read.name, frozenset()))
    for label, value in read.matchers:
        if label == "job" and not set(value.split("|")) <= set(Job):
            yield f"there is no job '{value}'", "it would match no series", f"one of {', '.join(Job)}"
        elif label not in known and (metric is not None or read.name in BUILT_IN):
            yield _unknown_label(label, read.name, known)
    if metric is not None and metric.name in SHARED_NAMES and "job" not in dict(read.matchers):
        yield f"reads '{read.name}' of every job", "vLLM exports the same name with another meaning", '{job="api"}'


def _kind_faults(read: Read, metric: Metric) -> Iterator[tuple[str, str, str]]:
    counts = metric.kind is not Kind.GAUGE
    if counts and not read.functions & (RATES | PRESENCE):
        yield (
            f"reads the {metric.kind} '{read.name}' as it stands",
            "it only grows, and begins anew at a restart",
            f"rate({read.name}[…]) or increase({read.name}[…])",
        )
    if not counts and read.functions & RATES:
        yield f"takes a rate of the gauge '{read.name}'", "it may fall", "the gauge itself, or delta(…)"


def _grouping_faults(grouping: Grouping, recorded: Mapping[str, frozenset[Job]]) -> Iterator[tuple[str, str, str]]:
    if grouping.over & recorded.keys():
        return
    known = TARGET_LABELS.union(*(_METRIC_OF[name].labels for name in grouping.over if name in _METRIC_OF))
    known = known.union(*(BUILT_IN[name] for name in grouping.over if name in BUILT_IN))
    for label in sorted(grouping.labels - known):
        yield _unknown_label(label, ", ".join(sorted(grouping.over)), known)


def _unknown_label(label: str, name: str, known: frozenset[str]) -> tuple[str, str, str]:
    return (
        f"names the label '{label}', which no series of {name} carries",
        "it would match or group nothing",
        f"one of {', '.join(sorted(known))}, or the label in {_HOME} with its source",
    )
