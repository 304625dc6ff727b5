from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dreamseed.monitoring.metrics import METRICS, Job
from simulator.engine import Engine, EngineLimits, Rejection
from simulator.metrics import EngineMetrics, token_bounds
from simulator.sequence import Sequence
from tests.simulator.made import settings


class Scrape:
    """What an engine exports after some requests, as Prometheus reads it."""

    def __init__(self) -> None:
        self.made = settings()
        self.registry = CollectorRegistry()
        self.metrics = EngineMetrics(self.made, self.registry)
        self.text = generate_latest(self.registry).decode()

    def samples(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(generate_latest(self.registry).decode()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    def value(self, name: str, **labels: str) -> float:
        return sum(value for given, value in self.samples()[name] if labels.items() <= given.items())

    def bounds(self, name: str) -> list[float]:
        return [float(labels["le"]) for labels, _ in self.samples()[f"{name}_bucket"]]


def test_every_metric_that_rules_and_dashboards_name_is_there_from_the_start() -> None:
    assert METRICS[Job.VLLM] <= Scrape().samples().keys()


def test_every_series_carries_the_served_name_and_the_engine_but_the_rejections() -> None:
    for name, series in Scrape().samples().items():
        for labels, _ in series:
            if name.startswith("vllm:admission_rejections"):
                assert labels.keys() == {"model_name", "reason"}
            elif name != "vllm:cache_config_info":
                assert (labels["model_name"], labels["engine"]) == ("llama-2-13b-chat", "0")


def test_the_objectives_of_the_alerts_are_bounds_of_the_histograms() -> None:
    for name in ("vllm:e2e_request_latency_seconds", "vllm:request_queue_time_seconds"):
        assert {5.0, 10.0, math.inf} <= set(Scrape().bounds(name))


def test_the_bounds_are_vllms() -> None:
    scrape = Scrape()
    assert scrape.bounds("vllm:time_to_first_token_seconds")[:3] == [0.001, 0.005, 0.01]
    assert scrape.bounds("vllm:inter_token_latency_seconds")[-2:] == [80.0, math.inf]
    assert scrape.bounds("vllm:iteration_tokens_total")[:4] == [1.0, 8.0, 16.0, 32.0]
    assert scrape.bounds("vllm:iteration_tokens_total")[-2] == 16_384
    assert token_bounds(512) == (1, 2, 5, 10, 20, 50, 100, 200, 500)
    assert token_bounds(4096)[-1] == 2_000


def test_types_are_those_that_prometheus_reads_from_vllm() -> None:
    types = {
        family.name: family.type for family in text_string_to_metric_families(Scrape().text) if family.name in TYPES
    }
    assert types == TYPES


TYPES = {
    "vllm:num_requests_running": "gauge",
    "vllm:num_requests_waiting": "gauge",
    "vllm:kv_cache_usage_perc": "gauge",
    "vllm:num_preemptions": "counter",
    "vllm:generation_tokens": "counter",
    "vllm:request_success": "counter",
    "vllm:admission_rejections": "counter",
    "vllm:e2e_request_latency_seconds": "histogram",
    "vllm:cache_config_info": "gauge",
}


def test_the_cache_is_described_as_the_plan_computes_it() -> None:
    scrape = Scrape()
    (labels, value), *_ = scrape.samples()["vllm:cache_config_info"]
    assert value == 1
    assert labels["kv_cache_size_tokens"] == str(scrape.made.memory.kv_tokens) == "19392"


def test_one_request_is_counted_once_with_all_its_tokens_and_times() -> None:
    scrape = Scrape()
    engine = Engine(EngineLimits(kv_blocks=100), lambda new, context: 2.0)
    request = Sequence(name="one", prompt_tokens=30, answer_tokens=4)
    engine.submit(request, 7.0)
    now = 10.0
    while engine.has_work:
        step = engine.step(now)
        now = step.ended_at
        scrape.metrics.record_step(step)
    scrape.metrics.record_end(request, ended_at=now, max_tokens=9)
    scrape.metrics.record_state(engine)
    scrape.metrics.record_rejection(Rejection.TOKENS)
    expected = {
        "vllm:prompt_tokens_total": 30,
        "vllm:generation_tokens_total": 4,
        "vllm:request_success_total": 1,
        "vllm:time_to_first_token_seconds_sum": 5,
        "vllm:inter_token_latency_seconds_sum": 6,
        "vllm:inter_token_latency_seconds_count": 3,
        "vllm:e2e_request_latency_seconds_sum": 11,
        "vllm:request_queue_time_seconds_sum": 3,
        "vllm:request_prefill_time_seconds_sum": 2,
        "vllm:request_decode_time_seconds_sum": 6,
        "vllm:request_inference_time_seconds_sum": 8,
        "vllm:request_time_per_output_token_seconds_sum": 2,
        "vllm:request_params_max_tokens_sum": 9,
        "vllm:iteration_tokens_total_sum": 34,
        "vllm:prefix_cache_queries_total": 30,
        "vllm:prefix_cache_hits_total": 0,
        "vllm:num_requests_running": 0,
        "vllm:kv_cache_usage_perc": 0,
        "vllm:admission_rejections_total": 1,
    }
    assert {name: scrape.value(name) for name in expected} == expected
    assert scrape.value("vllm:request_success_total", finished_reason="length") == 1
