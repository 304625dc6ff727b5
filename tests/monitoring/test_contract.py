from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from dreamseed.catalog.images import IMAGES
from dreamseed.errors import PlanError
from dreamseed.monitoring.contract import EXPORTERS, Exporter, Job, Kind, Metric
from dreamseed.monitoring.metrics import METRICS, jobs_of
from localtier.images.binaries import BINARIES
from localtier.tunnel.monitor import Figures, metrics_text

RECORDED = Path(__file__).with_name("recorded")
RUN_HERE = [one for one in EXPORTERS if one.recorded]


def families(exporter: Exporter) -> dict[str, Family]:
    """The recorded families by the name that the contract gives them."""
    text = (RECORDED / exporter.recorded).read_text(encoding="utf-8")
    named = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    by_stem = {family.name: family for family in text_string_to_metric_families(text)}
    # The parser takes the ending off a counter that has one, and gives one to a counter that has none.
    return {name: by_stem.get(name) or by_stem[name.removesuffix("_total")] for name in named}


def differences(exporter: Exporter, recorded: dict[str, Family]) -> list[str]:
    """Where the contract says something else than the exporter did."""
    found = []
    for metric in exporter.metrics:
        family = recorded.get(metric.name)
        if family is None:
            found.append(f"{metric.name}: not exported")
            continue
        labels = frozenset(label for sample in family.samples for label in sample.labels)
        bounds = {float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels} - {float("inf")}
        for what, said, seen in (
            ("kind", metric.kind.value, family.type),
            ("labels", sorted(metric.labels), sorted(labels)),
            ("bounds", sorted(metric.bounds), sorted(bounds)),
        ):
            if said != seen:
                found.append(f"{metric.name}: {what} {said}, exported {seen}")
    return found


@pytest.mark.parametrize("exporter", RUN_HERE, ids=lambda one: one.job)
def test_the_contract_says_what_the_exporter_really_answered(exporter: Exporter) -> None:
    assert differences(exporter, families(exporter)) == []


def test_every_recording_is_of_an_exporter_and_most_of_those_that_run_here_are_recorded() -> None:
    assert {one.recorded for one in RUN_HERE} == {path.name for path in RECORDED.glob("*.prom")}
    assert {one.job for one in RUN_HERE} == {
        Job.NODE,
        Job.POSTGRES,
        Job.ETCD,
        Job.REDIS,
        Job.HAPROXY,
        Job.PGBOUNCER,
        Job.PROMETHEUS,
        Job.ALERTMANAGER,
    }


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        (Metric(name="node_load2", kind=Kind.GAUGE), "not exported"),
        (Metric(name="node_load1", kind=Kind.COUNTER), "kind counter"),
        (Metric(name="node_load1", kind=Kind.GAUGE, labels=frozenset({"cpu"})), "labels ['cpu']"),
        (Metric(name="node_load1", kind=Kind.GAUGE, bounds=(1.0,)), "bounds [1.0]"),
    ],
)
def test_a_contract_that_says_otherwise_is_found(metric: Metric, fault: str) -> None:
    node = next(one for one in EXPORTERS if one.job is Job.NODE)
    wrong = Exporter(job=node.job, program=node.program, version="", source="", metrics=(metric,))
    assert [fault in found for found in differences(wrong, families(node))] == [True]


def test_each_series_belongs_to_one_job_and_every_job_has_a_contract_with_source_and_version() -> None:
    times = Counter(name for names in METRICS.values() for name in names)
    assert [name for name, count in times.items() if count > 1] == []
    assert [one.job for one in EXPORTERS] == list(Job)
    assert all(one.source and one.version and one.metrics for one in EXPORTERS)


@pytest.mark.parametrize("name", ["node_exporter", "postgres_exporter", "pgbouncer_exporter", "etcd", "prometheus"])
def test_the_versions_of_the_contract_are_those_that_run(name: str) -> None:
    exporter = next(one for one in EXPORTERS if one.program.lower() == name)
    assert BINARIES[name].version == exporter.version
    assert IMAGES[name].tag == f"v{exporter.version}"


@pytest.mark.parametrize("name", ["haproxy", "cloudflared"])
def test_the_contract_names_the_build_of_the_catalogue(name: str) -> None:
    exporter = next(one for one in EXPORTERS if one.program.lower() == name)
    assert IMAGES[name].tag.partition("-")[0] == exporter.version


def test_the_connector_that_stands_in_tells_what_the_contract_says() -> None:
    cloudflared = next(one for one in EXPORTERS if one.job is Job.CLOUDFLARED)
    told = [line.split()[2:] for line in metrics_text(Figures()).splitlines() if line.startswith("# TYPE ")]
    assert sorted(told) == sorted([metric.name, metric.kind.value] for metric in cloudflared.metrics)


def test_only_histograms_have_bounds_and_they_rise() -> None:
    metrics = [metric for one in EXPORTERS for metric in one.metrics]
    assert all(bool(metric.bounds) == (metric.kind is Kind.HISTOGRAM) for metric in metrics)
    assert all(list(metric.bounds) == sorted(set(metric.bounds)) for metric in metrics)
    assert all(("le" in metric.labels) == (metric.kind is Kind.HISTOGRAM) for metric in metrics)


@pytest.mark.parametrize(
    ("expression", "fault", "remedy"),
    [
        ("vllm:gpu_cache_usage_perc > 0.9", "no job exports the metric 'vllm:gpu_cache_usage_perc'", "contract.py"),
        ("sum by (Hostnam) (DCGM_FI_DEV_GPU_UTIL) > 85", "the label 'Hostnam'", "Hostname"),
        ('vllm:request_success_total{reason="error"}', "the label 'reason'", "finished_reason"),
        ("redis_evicted_keys_total > 0", "as it stands", "increase(redis_evicted_keys_total"),
        ("rate(redis_up[5m]) > 0", "a rate of the gauge", "delta"),
        ("sum(rate(http_requests_total[5m])) > 1", "of every job", 'job="api"'),
        ('up{job="vlm"} == 0', "there is no job 'vlm'", "vllm"),
        (
            'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m]))) > 0.4',
            "with 0.4",
            "0.3, 0.5",
        ),
        ("sum(rate(x[5m]) > 1", "is no PromQL", "an expression"),
    ],
)
def test_an_expression_that_the_contract_does_not_carry_is_refused(expression: str, fault: str, remedy: str) -> None:
    with pytest.raises(PlanError) as caught:
        jobs_of(expression, "monitoring › rules › Wrong")
    assert caught.value.where == "monitoring › rules › Wrong"
    assert fault in caught.value.what
    assert remedy in caught.value.remedy
