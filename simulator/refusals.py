"""What vLLM refuses after its parser has let it through, in its own words and order.

Each message stands in the source of vLLM 0.31.0 (config/model.py, config/parallel.py, config/scheduler.py,
model_executor/model_loader/weight_utils.py, v1/core/kv_cache_utils.py, v1/engine/utils.py; read 2026-11-24). That a
size of 3 fails with the configuration, and 5 without a word while the model is built, was seen with 0.33.0 on CPU on
2026-11-22. The status is 1 in every case; the real start takes 11 to 115 s to get there, this one none.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from dreamseed.catalog.model_shapes import KvCacheDtype, ModelShape, Precision, model_shape
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.legality import tensor_parallel_refusals
from dreamseed.planning.gpu.memory import BLOCK_TOKENS, GIB, EngineMemory, engine_memory
from simulator.settings import Pace

MEMORY_PAGE = "See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details."
ENGINE_FAILED = (
    "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}"
)


class StartRefusedError(Exception):
    """The server does not start: its text is what vLLM prints last."""


def engine_of(arguments: argparse.Namespace, pace: Pace) -> tuple[EngineIntent, EngineMemory]:
    """Return the engine that the arguments describe, and its memory on the pretended cards.

    Raises StartRefusedError for what vLLM would not start with, PlanError for a model outside the catalogue.
    """
    shape = model_shape(arguments.model, where="vllm serve › model")
    length = _max_model_len(arguments, shape)
    precision = _precision(arguments)
    _check_scheduler(arguments)
    size = arguments.tensor_parallel_size
    _check_size(arguments, shape, precision, pace)
    intent = EngineIntent(
        shape=shape,
        precision=precision,
        kv_cache_dtype=KvCacheDtype(arguments.kv_cache_dtype),
        gpu_memory_utilization=arguments.gpu_memory_utilization,
        max_model_len=length,
        max_tensor_parallel=size,
    )
    memory = engine_memory(intent, pace.gpu, tensor_parallel=size)
    if arguments.kv_cache_memory_bytes is not None:
        memory = replace(memory, available_bytes=arguments.kv_cache_memory_bytes)
    _check_memory(memory)
    return intent, memory


def _max_model_len(arguments: argparse.Namespace, shape: ModelShape) -> int:
    asked: int = shape.max_positions if arguments.max_model_len is None else arguments.max_model_len
    if asked > shape.max_positions:
        raise _invalid(
            "ModelConfig",
            f"User-specified max_model_len ({asked}) is greater than the derived max_model_len "
            f"(max_position_embeddings={shape.max_positions} or model_max_length=None in model's config.json). To "
            "allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.",
        )
    if asked < 1:
        raise _invalid("ModelConfig", f"max_model_len must be a positive integer, got {asked}.")
    return asked


def _precision(arguments: argparse.Namespace) -> Precision:
    if arguments.quantization is None:
        return Precision.FP16
    if arguments.quantization == Precision.AWQ:
        raise StartRefusedError(f"ValueError: Cannot find the config file for awq\n{ENGINE_FAILED}")
    if arguments.quantization != Precision.FP8:
        raise _invalid(
            "ModelConfig",
            f"Unknown quantization method: {arguments.quantization}. Must be one of ['fp8', 'awq', "
            "... and others that the simulated server does not know].",
        )
    return Precision.FP8


def _check_scheduler(arguments: argparse.Namespace) -> None:
    if arguments.max_num_batched_tokens < arguments.max_num_seqs:
        raise _invalid(
            "SchedulerConfig",
            f"max_num_batched_tokens ({arguments.max_num_batched_tokens}) must be greater than or equal to "
            f"max_num_seqs ({arguments.max_num_seqs}).",
        )
    if not 0 < arguments.gpu_memory_utilization <= 1:
        raise _invalid(
            "CacheConfig",
            f"gpu_memory_utilization: Input should be greater than 0 and less than or equal to 1, got "
            f"{arguments.gpu_memory_utilization}.",
        )


def _check_size(arguments: argparse.Namespace, shape: ModelShape, precision: Precision, pace: Pace) -> None:
    size = arguments.tensor_parallel_size
    if size < 1:
        raise _invalid("ParallelConfig", "tensor_parallel_size: Input should be greater than or equal to 1.")
    if shape.heads % size:
        raise _invalid(
            "VllmConfig",
            f"Total number of attention heads ({shape.heads}) must be divisible by tensor parallel size ({size}).",
        )
    if pace.gpu_count is not None and size > pace.gpu_count:
        raise _invalid(
            "VllmConfig",
            f"World size ({size}) is larger than the number of available GPUs ({pace.gpu_count}) in this node. If this "
            "is intentional and you are using:\n- ray, set '--distributed-executor-backend ray'.\n"
            "- multiprocessing, set '--nnodes' appropriately.",
        )
    if tensor_parallel_refusals(shape, size, precision):
        raise StartRefusedError(f"AssertionError\n{ENGINE_FAILED}")


def _check_memory(memory: EngineMemory) -> None:
    # One block is kept back; vLLM's figures already leave it out.
    usable_bytes = memory.available_bytes - memory.block_bytes
    if usable_bytes <= 0:
        raise StartRefusedError(
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when "
            "initializing the engine (this flag also controls CPU memory reservation on the CPU backend, despite its "
            f"name). {MEMORY_PAGE}\n{ENGINE_FAILED}"
        )
    if not memory.fits:
        needed_gib = round(memory.needed_blocks * memory.block_bytes / GIB, 2)
        longest = usable_bytes // memory.block_bytes * BLOCK_TOKENS
        hint = f"Based on the available memory, the estimated maximum model length is {longest}. " if longest else ""
        raise StartRefusedError(
            f"ValueError: To serve at least one request with the model's max seq len ({memory.max_model_len}), "
            f"({needed_gib} GiB KV cache is needed, which is larger than the available KV cache memory "
            f"({round(usable_bytes / GIB, 2)} GiB). {hint}Try increasing `gpu_memory_utilization` (which also controls "
            f"CPU memory on the CPU backend) or decreasing `max_model_len` when initializing the engine. "
            f"{MEMORY_PAGE}\n{ENGINE_FAILED}"
        )


def _invalid(model: str, message: str) -> StartRefusedError:
    """Return a refusal in the form that pydantic gives to a fault of vLLM's configuration."""
    return StartRefusedError(
        f"pydantic_core._pydantic_core.ValidationError: 1 validation error for {model}\n"
        f"  Value error, {message} [type=value_error]"
    )
