"""The GPU layout in plain lines, for people."""

from __future__ import annotations

from dreamseed.planning.gpu.layout import Alternative, GpuLayout, Replica
from dreamseed.planning.gpu.roofline import Capacity


def describe_layout(layout: GpuLayout) -> tuple[str, ...]:
    """One line an engine, the totals, and one line an alternative with the reason it was not chosen."""
    intent = layout.intent
    lines = [
        f"{intent.shape.repository}, {intent.precision} weights, {intent.kv_cache_dtype} KV cache, "
        f"{intent.gpu_memory_utilization:g} of each GPU, up to {intent.max_model_len:,} tokens a request, "
        f"engines of at most {_count(intent.max_tensor_parallel, 'GPU')}"
    ]
    lines.extend(_replica_line(replica) for replica in layout.replicas)
    lines.append(
        f"together: {_count(layout.gpu_count, 'GPU')}, {_count(len(layout.replicas), 'failure domain')}, "
        f"{layout.kv_tokens:,} KV tokens; estimates, not measured on a GPU"
    )
    lines.extend(f"  {_capacity_text(capacity)}" for capacity in layout.capacities)
    lines.extend(_alternative_line(alternative) for alternative in layout.alternatives)
    return tuple(lines)


def _replica_line(replica: Replica) -> str:
    gpus = ",".join(map(str, replica.gpu_indices))
    return (
        f"{replica.server} engine {replica.index_on_server}: tp{replica.tensor_parallel} on GPU {gpus} "
        f"({replica.gpu.name}), {replica.kv_tokens:,} KV tokens; {replica.memory.arithmetic}"
    )


def _capacity_text(capacity: Capacity) -> str:
    return (
        f"at {capacity.tokens_per_request:,} tokens a request: {capacity.resident_sequences:,} resident, "
        f"at most {_speed_text(capacity)} tokens/s"
    )


def _speed_text(capacity: Capacity) -> str:
    low, high = round(capacity.tokens_per_second_low), round(capacity.tokens_per_second_high)
    return f"{high:,}" if low == high else f"{low:,}–{high:,}"


def _alternative_line(alternative: Alternative) -> str:
    figures = []
    if alternative.engines is not None:
        figures.append(_count(alternative.engines, "failure domain"))
    if alternative.kv_tokens is not None:
        figures.append(f"{alternative.kv_tokens:,} KV tokens")
    figures.extend(
        f"at most {_speed_text(capacity)} tokens/s at {capacity.tokens_per_request:,} tokens a request"
        for capacity in alternative.capacities[:1]
    )
    size = f" ({', '.join(figures)})" if figures else ""
    return f"{alternative.standing}: {alternative.layout}{size}: {alternative.reason}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
