"""How many requests a replica holds at once, and an upper bound for how fast it decodes them.

A decode step reads all weights and the KV cache of every running request once; tensor parallelism adds two
all-reduces a layer. With a batch of requests of `length` tokens each:

    step   = (weights + batch * length * KV bytes per token) / (bandwidth * 0.8) + all-reduces * reduce
    reduce = latency + batch * hidden * 2 bytes * 2 * (tp - 1) / tp / transfer rate
    tokens/s = batch / step

The range comes from the all-reduce: latency 25 µs with 20 GB/s, to 60 µs with 8 GB/s through host memory.
A model for ranking layouts, never measured: compute limits, scheduling and sampling are left out.
Source: vLLM readings of 2026-11-22; it reproduces their table of tokens per second within 0.5 %.

A step that also reads prompts cannot be faster than its arithmetic either (`step_seconds`):

    step = max(bytes read / bandwidth, 2 * parameters * tokens / (GPUs * FLOP/s * 0.6)) + all-reduces

The share of 0.6 is an estimate; attention's own arithmetic, small beside the weights' up to 4,096 tokens, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.catalog.gpus import GpuModel
from dreamseed.catalog.model_shapes import Precision
from dreamseed.catalog.vllm_flags import DEFAULT_MAX_NUM_SEQS
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.memory import FP16_BYTES, EngineMemory, kv_token_bytes

REQUEST_LENGTHS_TOKENS = (512, 1024, 2048, 4096)
BANDWIDTH_EFFICIENCY = 0.8
COMPUTE_EFFICIENCY = 0.6
FP8_COMPUTE_CAPABILITY = (8, 9)
ALL_REDUCES_PER_LAYER = 2


@dataclass(frozen=True, slots=True)
class AllReduceCost:
    """One all-reduce through host memory: fixed latency, and the rate at which activations move."""

    latency_seconds: float
    bytes_per_second: float


FASTEST_ALL_REDUCE = AllReduceCost(25e-6, 20e9)
SLOWEST_ALL_REDUCE = AllReduceCost(60e-6, 8e9)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Requests of `tokens_per_request` tokens resident at once, and the bound on tokens per second in all."""

    tokens_per_request: int
    resident_sequences: int
    tokens_per_second_low: float
    tokens_per_second_high: float


def request_lengths_tokens(intent: EngineIntent) -> tuple[int, ...]:
    """The request lengths at which capacity is stated: the usual ones, none above the longest request."""
    usual = tuple(length for length in REQUEST_LENGTHS_TOKENS if length <= intent.max_model_len)
    return usual or (intent.max_model_len,)


def capacity(
    intent: EngineIntent, gpu: GpuModel, memory: EngineMemory, tensor_parallel: int, tokens_per_request: int
) -> Capacity:
    """Capacity of one replica for requests of one average total length (prompt and answer), no prefix shared.

    A request that does not fit the KV cache waits; vLLM runs at most 256 at once by default.
    """
    batch = min(memory.kv_tokens // tokens_per_request, DEFAULT_MAX_NUM_SEQS)

    def tokens_per_second(cost: AllReduceCost) -> float:
        context_tokens = batch * tokens_per_request
        read_seconds = _read_seconds(intent, gpu, memory, tensor_parallel, context_tokens)
        return batch / (read_seconds + _all_reduce_seconds(intent, tensor_parallel, batch, cost))

    return Capacity(
        tokens_per_request,
        batch,
        tokens_per_second(SLOWEST_ALL_REDUCE),
        tokens_per_second(FASTEST_ALL_REDUCE),
    )


def step_seconds(
    intent: EngineIntent,
    gpu: GpuModel,
    memory: EngineMemory,
    tensor_parallel: int,
    *,
    new_tokens: int,
    context_tokens: int,
    cost: AllReduceCost = SLOWEST_ALL_REDUCE,
) -> float:
    """Return how long one step takes that computes `new_tokens` and reads the KV cache of `context_tokens`, in seconds.

    `new_tokens` counts the tokens of prompts and one for each request that is being answered. With an answered token
    for each of a batch it is the step behind `capacity`, unless arithmetic is slower than memory.
    """
    quick = intent.precision is Precision.FP8 and gpu.compute_capability >= FP8_COMPUTE_CAPABILITY
    flop_per_second = gpu.fp16_tera_flops * 1e12 * (2 if quick else 1) * COMPUTE_EFFICIENCY
    compute_seconds = 2 * intent.shape.parameters * new_tokens / (tensor_parallel * flop_per_second)
    read_seconds = _read_seconds(intent, gpu, memory, tensor_parallel, context_tokens)
    return max(read_seconds, compute_seconds) + _all_reduce_seconds(intent, tensor_parallel, new_tokens, cost)


def _read_seconds(
    intent: EngineIntent, gpu: GpuModel, memory: EngineMemory, tensor_parallel: int, context_tokens: int
) -> float:
    token_bytes = kv_token_bytes(intent.shape, intent.kv_cache_dtype, tensor_parallel)
    read_bytes = memory.weights_bytes + context_tokens * token_bytes
    return read_bytes / (gpu.memory_bandwidth_gb_per_second * 1e9 * BANDWIDTH_EFFICIENCY)


def _all_reduce_seconds(intent: EngineIntent, tensor_parallel: int, tokens: int, cost: AllReduceCost) -> float:
    if tensor_parallel == 1:
        return 0.0
    shape = intent.shape
    moved_bytes = tokens * shape.hidden * FP16_BYTES * 2 * (tensor_parallel - 1) / tensor_parallel
    return ALL_REDUCES_PER_LAYER * shape.layers * (cost.latency_seconds + moved_bytes / cost.bytes_per_second)
