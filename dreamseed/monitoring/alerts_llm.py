"""Alerts on the model's engines and their cards.

Utilisation lags: a single request can fill a card, and it fell from 94 % to 56 % as concurrency rose. It stays the
plan's warning; the queue and the KV cache lead. Sources: the growth plan, sections 5 and 6; vLLM 0.33 metrics; public
threads on dcgm-exporter #301 and vLLM #6105, #39863, #17972, read 2026-08 to 2026-11.
"""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.monitoring.model import Alert, Concern, Fleet, Group, Owner, Severity
from dreamseed.monitoring.slo import MINIMUM_FAILURES

GPU_UTILIZATION_PERCENT = 85
QUEUED_REQUESTS = 20
KV_CACHE_SHARE = 0.9


def llm_group(config: StageConfig, fleet: Fleet) -> Group:
    """Return the alerts on cards and engines; objectives come from the stage's `slo`."""
    return Group(name="llm", alerts=(*_cards(), *_waiting(config), *_engines(), *_answers(config, fleet)))


def _cards() -> tuple[Alert, ...]:
    return (
        Alert(
            name="GPUHighUtilization",
            # DCGM counts from 0 to 100, the plan's 0.85 is 85.
            expression=f"avg by (host, gpu) (DCGM_FI_DEV_GPU_UTIL) > {GPU_UTILIZATION_PERCENT}",
            for_seconds=600,
            severity=Severity.WARNING,
            component="gpu",
            concern=Concern.SATURATION,
            owner=Owner.INFERENCE,
            summary="GPU {{ $labels.gpu }} of {{ $labels.host }} is {{ $value | humanize }} % busy",
            action="Look at the queue and the KV cache: busy alone is no reason to buy.",
        ),
        Alert(
            name="GpuXid",
            expression="max by (host, gpu) (DCGM_FI_DEV_XID_ERRORS) > 0",
            severity=Severity.WARNING,
            component="gpu",
            concern=Concern.ERRORS,
            owner=Owner.INFERENCE,
            summary="GPU {{ $labels.gpu }} of {{ $labels.host }} reported Xid {{ $value | humanize }}",
            action="Look the code up in NVIDIA's Xid list; the gauge keeps it until the exporter restarts.",
        ),
    )


def _waiting(config: StageConfig) -> tuple[Alert, ...]:
    objective = f"{config.slo.generation_p95_ms / 1_000:g}"
    return (
        Alert(
            name="LLMQueueBacklog",
            expression=f"sum by (model_name) (vllm:num_requests_waiting) > {QUEUED_REQUESTS}",
            for_seconds=180,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.SATURATION,
            owner=Owner.INFERENCE,
            summary="{{ $value | humanize }} requests wait for {{ $labels.model_name }}",
            action="See whether every engine serves; if so, the spot worker bridges the peak.",
        ),
        Alert(
            name="LlmQueueWaitLong",
            expression="histogram_quantile(0.95, sum by (le, model_name) "
            f"(rate(vllm:request_queue_time_seconds_bucket[5m]))) > {objective}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.LATENCY,
            owner=Owner.INFERENCE,
            summary=f"95 % of requests wait up to {{{{ $value | humanize }}}} s; the whole answer has {objective} s",
            action="As for LLMQueueBacklog.",
        ),
        Alert(
            name="LlmGenerationSlow",
            expression="histogram_quantile(0.95, sum by (le, model_name) "
            f"(rate(vllm:e2e_request_latency_seconds_bucket[10m]))) > {objective}",
            for_seconds=900,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.LATENCY,
            owner=Owner.INFERENCE,
            summary=f"p95 of a generation is {{{{ $value | humanize }}}} s, the objective {objective} s",
            action="Compare queue wait with decoding: waiting asks for cards, decoding for shorter answers.",
        ),
        Alert(
            name="LlmKvFull",
            expression="avg by (instance) (vllm:kv_cache_usage_perc) "
            f"> {KV_CACHE_SHARE:g} "
            "and sum by (instance) (rate(vllm:num_preemptions_total[10m])) > 0",
            for_seconds=600,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.SATURATION,
            owner=Owner.INFERENCE,
            summary="{{ $labels.instance }} throws sequences out of its KV cache",
            action="Lower max_model_len or the number of sequences, or add a replica.",
        ),
    )


def _engines() -> tuple[Alert, ...]:
    return (
        Alert(
            name="LlmReplicaDown",
            expression='up{job="vllm"} == 0',
            for_seconds=120,
            severity=Severity.CRITICAL,
            component="vllm",
            concern=Concern.AVAILABILITY,
            owner=Owner.INFERENCE,
            summary="engine {{ $labels.instance }} on {{ $labels.host }} does not answer",
            action="Read its container's log; a model load takes minutes.",
        ),
        Alert(
            name="LlmStalled",
            expression="sum by (instance) (vllm:num_requests_running + vllm:num_requests_waiting) > 0 "
            "and sum by (instance) (rate(vllm:generation_tokens_total[5m])) == 0",
            for_seconds=300,
            severity=Severity.CRITICAL,
            component="vllm",
            concern=Concern.AVAILABILITY,
            owner=Owner.INFERENCE,
            summary="{{ $labels.instance }} holds requests and writes no token",
            action="Restart the engine: it answers HTTP while it hangs, so its health check does not see it.",
        ),
    )


def _answers(config: StageConfig, fleet: Fleet) -> tuple[Alert, ...]:
    floor = config.slo.tokens_per_second_per_gpu * fleet.gpus
    failed = (
        '((sum(increase(vllm:request_success_total{finished_reason="error"}[1h])) or vector(0)) '
        "+ (sum(increase(vllm:admission_rejections_total[1h])) or vector(0)))"
    )
    ratio = f"{config.slo.max_generation_failure_ratio:g}"
    return (
        Alert(
            name="LlmRejecting",
            expression="sum by (model_name) (increase(vllm:admission_rejections_total[5m])) > 0",
            for_seconds=300,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.ERRORS,
            owner=Owner.INFERENCE,
            summary="engines refuse requests for {{ $labels.model_name }}: their queues are full",
            action="As for LLMQueueBacklog; max_queued_requests decides when they refuse.",
        ),
        Alert(
            name="LlmFailures",
            # `abort` is a client that left, no failure.
            expression=f"{failed} / sum(increase(vllm:request_success_total[1h])) > {ratio} "
            f"and {failed} >= {MINIMUM_FAILURES}",
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.ERRORS,
            owner=Owner.INFERENCE,
            summary=f"{{{{ $value | humanizePercentage }}}} of generations failed in an hour, {ratio} may",
            action="Read the engines' logs; out of memory and timeouts show there.",
        ),
        Alert(
            name="LlmThroughputLow",
            expression=f"sum(rate(vllm:generation_tokens_total[10m])) < {floor} and sum(vllm:num_requests_waiting) > 0",
            for_seconds=900,
            severity=Severity.WARNING,
            component="vllm",
            concern=Concern.SATURATION,
            owner=Owner.INFERENCE,
            summary=f"{{{{ $value | humanize }}}} tokens/s while requests wait; {fleet.gpus} GPUs should give {floor}",
            action="Compare the replicas; a card that throttles or an engine without its peers stands out.",
        ),
    )
