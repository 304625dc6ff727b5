"""Refusing a layout in which an engine would not start, with the arithmetic and the ways out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dreamseed.catalog.model_shapes import KvCacheDtype, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus
from dreamseed.planning.gpu.layout import Replica
from dreamseed.planning.gpu.legality import legal_tensor_parallel_sizes, tensor_parallel_refusals
from dreamseed.planning.gpu.replicas import lay_out

# Shares of memory worth offering when the one asked for is too small: vLLM's default, and the most that
# leaves the driver some room.
OFFERED_UTILIZATIONS = (0.92, 0.95)


def check_fit(intent: EngineIntent, servers: Sequence[ServerGpus], replicas: Sequence[Replica], where: str) -> None:
    """Refuse the whole fleet when one engine does not start: all replicas run one precision.

    Raises PlanError at `where` › precision.
    """
    unfit = [replica for replica in replicas if not replica.memory.fits]
    if not unfit:
        return
    first = unfit[0]
    why = first.memory.arithmetic
    if len(unfit) < len(replicas):
        why += (
            f"; {len(replicas) - len(unfit)} of {len(replicas)} engines would start, "
            "but a fleet serves one precision everywhere, so that every replica gives the same answers"
        )
    gpus = f"{'GPU' if first.tensor_parallel == 1 else 'GPUs'} {', '.join(map(str, first.gpu_indices))}"
    raise PlanError(
        where=f"{where} › precision",
        what=f"{intent.shape.repository} in {intent.precision} does not fit {gpus} of {first.server} "
        f"({first.tensor_parallel} × {first.gpu.name})",
        why=why,
        remedy="; or ".join(_ways_out(intent, servers)) or "GPUs with more memory, or a smaller model",
    )


def _ways_out(intent: EngineIntent, servers: Sequence[ServerGpus]) -> Iterator[str]:
    """Single changes to the intent under which every engine starts."""
    largest = max(server.count for server in servers)
    for setting, changed in _single_changes(intent, largest):
        if tensor_parallel_refusals(changed.shape, changed.max_tensor_parallel, changed.precision):
            continue
        replicas = lay_out(changed, servers)
        if all(replica.memory.fits for replica in replicas):
            smallest = min(replica.kv_tokens for replica in replicas)
            yield f"{setting} (smallest replica: {smallest:,} KV tokens)"


def _single_changes(intent: EngineIntent, largest_server: int) -> Iterator[tuple[str, EngineIntent]]:
    if intent.precision is Precision.FP16:
        yield "precision: fp8", replace(intent, precision=Precision.FP8)
    if intent.precision is not Precision.AWQ:
        yield "precision: awq with an AWQ checkpoint", replace(intent, precision=Precision.AWQ)
    if intent.kv_cache_dtype is KvCacheDtype.AUTO:
        yield "kv_cache_dtype: fp8", replace(intent, kv_cache_dtype=KvCacheDtype.FP8)
    for share in OFFERED_UTILIZATIONS:
        if share > intent.gpu_memory_utilization:
            yield f"gpu_memory_utilization: {share:g}", replace(intent, gpu_memory_utilization=share)
    for size in legal_tensor_parallel_sizes(intent.shape, largest_server, intent.precision):
        if size > intent.max_tensor_parallel:
            yield f"max_tensor_parallel: {size}", replace(intent, max_tensor_parallel=size)
