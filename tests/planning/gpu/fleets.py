"""Intents and servers that several tests of the GPU planner use."""

from __future__ import annotations

from dreamseed.catalog.gpus import RTX_5090
from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, KvCacheDtype, Precision
from dreamseed.planning.gpu import EngineIntent, GpuLayout, ServerGpus


def intent(
    precision: str = "fp8",
    kv: str = "auto",
    *,
    utilization: float = 0.9,
    max_model_len: int = 4096,
    largest: int = 2,
    overhead_gib: float | None = None,
) -> EngineIntent:
    """The 13B model served as every stage serves it, unless said otherwise."""
    return EngineIntent(
        shape=LLAMA_2_13B_CHAT,
        precision=Precision(precision),
        kv_cache_dtype=KvCacheDtype(kv),
        gpu_memory_utilization=utilization,
        max_model_len=max_model_len,
        max_tensor_parallel=largest,
        measured_overhead_gib=overhead_gib,
    )


def servers(*gpu_counts: int) -> list[ServerGpus]:
    """server-1, server-2, … with so many RTX 5090 each."""
    return [ServerGpus(f"server-{number}", RTX_5090, count) for number, count in enumerate(gpu_counts, 1)]


def sizes(layout: GpuLayout) -> dict[str, list[int]]:
    """Tensor-parallel sizes of each server's engines, in GPU order."""
    found: dict[str, list[int]] = {}
    for replica in layout.replicas:
        found.setdefault(replica.server, []).append(replica.tensor_parallel)
    return found
