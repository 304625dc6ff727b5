"""The metrics of one engine, by the names, types, labels and bounds of vLLM 0.31.0.

Source: v1/metrics/loggers.py and v1/metrics/buckets.py of 0.31.0, read 2026-11-24, and a scrape of 0.32.0. One counter
is only in the later one: `vllm:admission_rejections_total`, without the label `engine`. Times are the engine's seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from simulator.engine import Engine, Rejection, Step
from simulator.sequence import BLOCK_TOKENS, FinishReason, Sequence
from simulator.settings import Settings

LABELS = ("model_name", "engine")
ENGINE = "0"
LATENCY = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560),
)
BETWEEN_TOKENS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80)
STEP_TOKENS = (1, *(2**power for power in range(3, 15)))
PREEMPTIONS = (1, 2, 3, 4, 5, 10, 20)


def token_bounds(max_model_len: int) -> tuple[int, ...]:
    """Return vLLM's bounds for tokens of a request: 1, 2, 5, 10, … up to the longest request."""

    def series() -> Iterator[int]:
        yield from (mantissa * 10**exponent for exponent in range(12) for mantissa in (1, 2, 5))

    return tuple(bound for bound in series() if bound <= max_model_len)


class EngineMetrics:
    """What one engine exports under `vllm:`; `registry` is scraped."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._model = settings.served_names[0]
        self._kv_blocks = settings.limits.kv_blocks
        tokens = token_bounds(settings.intent.max_model_len)
        self._running = self._gauge("num_requests_running", "Number of requests in model execution batches.")
        self._waiting = self._gauge("num_requests_waiting", "Number of requests waiting to be processed.")
        by_reason = self._gauges("num_requests_waiting_by_reason", "reason", ("capacity", "deferred"))
        self._waiting_for_capacity = by_reason["capacity"]
        self._kv_usage = self._gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.")
        self._gauges("engine_sleep_state", "sleep_state", ("awake", "weights_offloaded", "discard_all"))["awake"].set(1)
        self._preemptions = self._counter("num_preemptions", "Cumulative number of preemption from the engine.")
        self._prompt_tokens = self._counter("prompt_tokens", "Number of prefill tokens processed.")
        sources = ("local_compute", "local_cache_hit", "external_kv_transfer")
        self._computed_prompt_tokens = self._counters("prompt_tokens_by_source", "source", sources)["local_compute"]
        self._counter("prompt_tokens_cached", "Number of cached prompt tokens (local + external).")
        self._generation_tokens = self._counter("generation_tokens", "Number of generation tokens processed.")
        self._prefix_queries = self._counter("prefix_cache_queries", "Prefix cache queries, in queried tokens.")
        self._counter("prefix_cache_hits", "Prefix cache hits, in cached tokens.")
        self._success = self._counters("request_success", "finished_reason", tuple(FinishReason))
        text = "Requests that a queue limit refused."
        rejections = Counter("vllm:admission_rejections", text, ("model_name", "reason"), registry=registry)
        self._rejections = {reason: rejections.labels(self._model, reason) for reason in Rejection}
        self._step_tokens = self._histogram("iteration_tokens_total", STEP_TOKENS)
        self._first_token = self._histogram("time_to_first_token_seconds", FIRST_TOKEN)
        self._between_tokens = self._histogram("inter_token_latency_seconds", BETWEEN_TOKENS)
        self._per_token = self._histogram("request_time_per_output_token_seconds", BETWEEN_TOKENS)
        self._latency = self._histogram("e2e_request_latency_seconds", LATENCY)
        self._queue_time = self._histogram("request_queue_time_seconds", LATENCY)
        self._inference_time = self._histogram("request_inference_time_seconds", LATENCY)
        self._prefill_time = self._histogram("request_prefill_time_seconds", LATENCY)
        self._decode_time = self._histogram("request_decode_time_seconds", LATENCY)
        self._request_preemptions = self._histogram("request_num_preemptions", PREEMPTIONS)
        self._request_prompt = self._histogram("request_prompt_tokens", tokens)
        self._request_computed = self._histogram("request_prefill_kv_computed_tokens", tokens)
        self._request_generation = self._histogram("request_generation_tokens", tokens)
        self._request_max_tokens = self._histogram("request_params_max_tokens", tokens)
        self._describe_cache(settings)

    def record_step(self, step: Step) -> None:
        """Count what a step did, when it has ended."""
        first = [sequence for sequence in step.answered if sequence.first_token_at == step.ended_at]
        prompt_tokens = sum(sequence.prompt_tokens for sequence in first)
        self._preemptions.inc(len(step.preempted))
        self._prompt_tokens.inc(prompt_tokens)
        self._computed_prompt_tokens.inc(prompt_tokens)
        self._prefix_queries.inc(prompt_tokens)
        self._generation_tokens.inc(step.written_tokens)
        self._step_tokens.observe(prompt_tokens + step.written_tokens)
        for sequence in first:
            self._first_token.observe(step.ended_at - sequence.arrived_at)
        for gap_seconds, count in step.gaps:
            for _ in range(count):
                self._between_tokens.observe(gap_seconds)

    def record_state(self, engine: Engine) -> None:
        """Show how many requests run and wait, and how full the cache is."""
        self._running.set(engine.running)
        self._waiting.set(engine.waiting)
        self._waiting_for_capacity.set(engine.waiting)
        self._kv_usage.set(engine.used_blocks / self._kv_blocks)

    def record_end(self, sequence: Sequence, *, ended_at: float, max_tokens: int | None) -> None:
        """Count a request that ended, by itself or because its client left; `max_tokens` is what it was allowed."""
        if sequence.finished is None:
            return
        scheduled = ended_at if sequence.scheduled_at is None else sequence.scheduled_at
        first = ended_at if sequence.first_token_at is None else sequence.first_token_at
        last = first if sequence.last_token_at is None else sequence.last_token_at
        self._success[sequence.finished].inc()
        self._latency.observe(ended_at - sequence.arrived_at)
        self._queue_time.observe(scheduled - sequence.arrived_at)
        self._prefill_time.observe(first - scheduled)
        self._decode_time.observe(last - first)
        self._inference_time.observe(last - scheduled)
        self._per_token.observe((last - first) / max(1, sequence.written_tokens - 1))
        self._request_preemptions.observe(sequence.preemptions)
        self._request_prompt.observe(sequence.prompt_tokens)
        self._request_computed.observe(sequence.prompt_tokens)
        self._request_generation.observe(sequence.written_tokens)
        if max_tokens:
            self._request_max_tokens.observe(max_tokens)

    def record_rejection(self, reason: Rejection) -> None:
        """Count a request that a queue limit refused."""
        self._rejections[reason].inc()

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"vllm:{name}", text, LABELS, registry=self._registry).labels(self._model, ENGINE)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"vllm:{name}", text, LABELS, registry=self._registry).labels(self._model, ENGINE)

    def _histogram(self, name: str, bounds: tuple[float, ...]) -> Histogram:
        text = f"Histogram of {name}."
        family = Histogram(f"vllm:{name}", text, LABELS, buckets=bounds, registry=self._registry)
        return family.labels(self._model, ENGINE)

    def _gauges(self, name: str, label: str, values: tuple[str, ...]) -> dict[str, Gauge]:
        family = Gauge(f"vllm:{name}", f"{name}, by {label}.", (*LABELS, label), registry=self._registry)
        return {value: family.labels(self._model, ENGINE, value) for value in values}

    def _counters(self, name: str, label: str, values: tuple[str, ...]) -> dict[str, Counter]:
        family = Counter(f"vllm:{name}", f"{name}, by {label}.", (*LABELS, label), registry=self._registry)
        return {value: family.labels(self._model, ENGINE, value) for value in values}

    def _describe_cache(self, settings: Settings) -> None:
        memory = settings.memory
        labels = {
            "block_size": str(BLOCK_TOKENS),
            "cache_dtype": str(settings.intent.kv_cache_dtype),
            "enable_prefix_caching": "True",
            "engine": ENGINE,
            "gpu_memory_utilization": f"{memory.gpu_memory_utilization:g}",
            "kv_cache_max_concurrency": f"{memory.kv_tokens / memory.max_model_len:g}",
            "kv_cache_size_tokens": str(memory.kv_tokens),
            "num_gpu_blocks": str(memory.blocks),
        }
        text = "Information of the LLMEngine CacheConfig"
        Gauge("vllm:cache_config_info", text, tuple(labels), registry=self._registry).labels(**labels).set(1)
