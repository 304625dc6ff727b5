"""How a GPU's memory divides into weights, overhead and KV cache, by vLLM's own formulas.

    requested = ceil(total * utilisation)
    available = requested - weights - overhead
    block     = layers * 2 * KV heads per GPU * head_dim * bytes per element * 16 tokens
    the engine starts when ceil(max_model_len / 16) * block <= available - block   (one block is kept back)

Source: vLLM 0.33.0 source, 2026-11-22, and 0.31.0 source, 2026-11-23; the block size agrees with four real
CPU runs. The overhead (activations, CUDA graphs, memory outside torch) is an estimate: no RTX 5090 was
measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dreamseed.catalog.gpus import GpuModel
from dreamseed.catalog.model_shapes import KvCacheDtype, ModelShape, Precision
from dreamseed.planning.gpu.intent import EngineIntent

GIB = 2**30
BLOCK_TOKENS = 16
FP16_BYTES = 2
OVERHEAD_ONE_GPU_GIB = 1.0
OVERHEAD_SHARED_GPU_GIB = 1.25

# AWQ: 4 bits a weight, and for each group of 128 a 16-bit scale and a 4-bit zero point.
LINEAR_BYTES: dict[Precision, float] = {
    Precision.FP16: 2.0,
    Precision.FP8: 1.0,
    Precision.AWQ: 0.5 + 2 / 128 + 0.5 / 128,
}
KV_BYTES: dict[KvCacheDtype, int] = {KvCacheDtype.AUTO: 2, KvCacheDtype.FP8: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMemory:
    """The memory of the fullest GPU of one engine, in bytes, and the KV cache that follows from it."""

    total_bytes: int
    gpu_memory_utilization: float
    requested_bytes: int
    weights_bytes: int
    overhead_bytes: int
    available_bytes: int
    block_bytes: int
    needed_blocks: int
    max_model_len: int

    @property
    def blocks(self) -> int:
        """Blocks of 16 tokens that the KV cache holds."""
        return max(0, self.available_bytes // self.block_bytes)

    @property
    def kv_tokens(self) -> int:
        """Tokens that the KV cache holds: whole blocks, so a multiple of 16."""
        return self.blocks * BLOCK_TOKENS

    @property
    def fits(self) -> bool:
        """Whether the engine starts: one request of full length beside the block that is kept back."""
        return self.needed_blocks * self.block_bytes <= self.available_bytes - self.block_bytes

    @property
    def arithmetic(self) -> str:
        """The sum in one line, in GiB."""
        needed_bytes = (self.needed_blocks + 1) * self.block_bytes
        return (
            f"{self.gpu_memory_utilization:g} × {self.total_bytes / GIB:.2f} = "
            f"{self.requested_bytes / GIB:.2f} GiB "
            f"- weights {self.weights_bytes / GIB:.2f} - overhead {self.overhead_bytes / GIB:.2f} "
            f"= {self.available_bytes / GIB:.2f} GiB for the KV cache; "
            f"one request of {self.max_model_len:,} tokens needs {needed_bytes / GIB:.2f} GiB"
        )


def pipeline_layers(layers: int, stages: int) -> tuple[int, ...]:
    """Layers of each pipeline stage as vLLM splits them: what is left over goes before the last stage."""
    base, extra = divmod(layers, stages)
    return tuple(base + (1 if stages - 1 - extra <= stage < stages - 1 else 0) for stage in range(stages))


def weights_bytes(
    shape: ModelShape,
    precision: Precision,
    tensor_parallel: int,
    *,
    layers: int | None = None,
    first: bool = True,
    last: bool = True,
) -> int:
    """Weights on one GPU of a pipeline stage of `layers` layers (all of them by default).

    Linear layers, embedding and output head are divided by the tensor-parallel size; norms are on every GPU.
    The first stage holds the embedding and the last one the output head.
    """
    count = shape.layers if layers is None else layers
    query_width = shape.heads * shape.head_dim // tensor_parallel
    kv_width = kv_heads_per_gpu(shape, tensor_parallel) * shape.head_dim
    attention = 2 * shape.hidden * query_width + 2 * shape.hidden * kv_width
    mlp = 3 * shape.hidden * shape.intermediate // tensor_parallel
    tables = 1 if shape.tied_embeddings and first and last else first + last
    table = shape.vocab * shape.hidden // tensor_parallel
    norms = 2 * shape.hidden * count + (shape.hidden if last else 0)
    linear_bytes = count * (attention + mlp) * LINEAR_BYTES[precision]
    return math.ceil(linear_bytes) + FP16_BYTES * (tables * table + norms)


def kv_heads_per_gpu(shape: ModelShape, tensor_parallel: int) -> int:
    """KV heads on one GPU; when there are fewer heads than GPUs, each GPU holds a copy of one."""
    return max(1, shape.kv_heads // tensor_parallel)


def kv_token_bytes(shape: ModelShape, kv_cache_dtype: KvCacheDtype, tensor_parallel: int) -> int:
    """Bytes that one token occupies in the KV cache of one GPU that holds all layers."""
    per_layer = 2 * kv_heads_per_gpu(shape, tensor_parallel) * shape.head_dim * KV_BYTES[kv_cache_dtype]
    return shape.layers * per_layer


def engine_memory(
    intent: EngineIntent, gpu: GpuModel, *, tensor_parallel: int, pipeline_parallel: int = 1
) -> EngineMemory:
    """Memory of the GPU that holds the fewest KV blocks, which decides for the whole engine.

    `tensor_parallel` must be legal for the shape; `pipeline_parallel` serves to judge alternatives only.
    """
    shape = intent.shape
    single = tensor_parallel * pipeline_parallel == 1
    overhead_gib = OVERHEAD_ONE_GPU_GIB if single else OVERHEAD_SHARED_GPU_GIB
    if intent.measured_overhead_gib is not None:
        overhead_gib = intent.measured_overhead_gib
    total_bytes = round(gpu.usable_gib * GIB)
    requested_bytes = math.ceil(total_bytes * intent.gpu_memory_utilization)
    overhead_bytes = round(overhead_gib * GIB)
    token_bytes = kv_token_bytes(shape, intent.kv_cache_dtype, tensor_parallel)
    workers = []
    for stage, layers in enumerate(pipeline_layers(shape.layers, pipeline_parallel)):
        weights = weights_bytes(
            shape,
            intent.precision,
            tensor_parallel,
            layers=layers,
            first=stage == 0,
            last=stage == pipeline_parallel - 1,
        )
        workers.append(
            EngineMemory(
                total_bytes=total_bytes,
                gpu_memory_utilization=intent.gpu_memory_utilization,
                requested_bytes=requested_bytes,
                weights_bytes=weights,
                overhead_bytes=overhead_bytes,
                available_bytes=requested_bytes - weights - overhead_bytes,
                block_bytes=token_bytes // shape.layers * layers * BLOCK_TOKENS,
                needed_blocks=-(-intent.max_model_len // BLOCK_TOKENS),
                max_model_len=intent.max_model_len,
            )
        )
    return min(workers, key=lambda worker: worker.blocks)
