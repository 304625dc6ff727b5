from __future__ import annotations

from dataclasses import replace

import pytest

from dreamseed.catalog.gpus import L4, RTX_5090, T4, GpuModel
from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, KvCacheDtype, ModelShape, Precision
from dreamseed.planning.gpu import engine_memory
from dreamseed.planning.gpu.memory import GIB, kv_token_bytes, pipeline_layers, weights_bytes
from tests.planning.gpu.fleets import intent

SERVED_AS = [("fp16", "auto"), ("fp16", "fp8"), ("fp8", "auto"), ("fp8", "fp8"), ("awq", "auto")]

# KV tokens an engine holds on RTX 5090 at 0.9 for requests of 4,096 tokens, computed with vLLM 0.33.0's own
# functions (2026-11-22); one column for each entry of SERVED_AS, None where the engine does not start.
KV_TOKENS: dict[tuple[int, int], tuple[int | None, ...]] = {
    (1, 1): (None, 7_808, 19_392, 38_784, 26_832),
    (2, 1): (38_928, 77_856, 54_416, 108_832, 61_856),
    (1, 2): (38_928, 77_856, 54_416, 108_832, 61_856),
    (1, 3): (70_032, 140_064, 85_520, 171_040, 92_960),
    (4, 1): (109_632, 219_280, 125_120, 250_256, 132_560),
    (2, 2): (109_632, 219_280, 125_120, 250_256, 132_560),
    (1, 4): (108_832, 217_680, 124_320, 248_656, 131_760),
    (1, 5): (143_792, 287_584, 159_280, 318_560, 166_720),
}


@pytest.mark.parametrize(("parallel", "expected"), KV_TOKENS.items())
def test_kv_tokens_agree_with_vllms_own_functions(parallel: tuple[int, int], expected: tuple[int | None, ...]) -> None:
    tensor_parallel, pipeline_parallel = parallel
    memories = [
        engine_memory(
            intent(precision, kv),
            RTX_5090,
            tensor_parallel=tensor_parallel,
            pipeline_parallel=pipeline_parallel,
        )
        for precision, kv in SERVED_AS
    ]
    assert tuple(memory.kv_tokens if memory.fits else None for memory in memories) == expected


@pytest.mark.parametrize(
    ("precision", "kv", "utilization", "overhead_gib", "expected"),
    [
        ("fp16", "auto", 0.92, None, 4_720),
        ("fp16", "auto", 0.95, None, 5_952),
        ("awq", "fp8", 0.9, None, 53_664),
        ("fp8", "auto", 0.9, 0.5, 20_048),
        ("fp8", "auto", 0.9, 1.5, 18_736),
        ("fp8", "auto", 0.9, 2.0, 18_080),
    ],
)
def test_one_gpu_holds_the_tokens_of_each_way_out_and_of_each_overhead(
    precision: str, kv: str, utilization: float, overhead_gib: float | None, expected: int
) -> None:
    asked = intent(precision, kv, utilization=utilization, overhead_gib=overhead_gib)
    memory = engine_memory(asked, RTX_5090, tensor_parallel=1)
    assert memory.fits
    assert memory.kv_tokens == expected


@pytest.mark.parametrize(
    ("precision", "gpu", "tensor_parallel", "expected"),
    [
        ("fp16", T4, 1, None),
        ("fp8", T4, 1, None),
        ("awq", T4, 1, 7_008),
        ("fp16", L4, 1, None),
        ("fp8", L4, 1, 8_384),
        ("awq", L4, 1, 15_824),
        ("fp16", L4, 2, 16_912),
    ],
)
def test_spot_gpus_hold_the_model_only_in_eight_or_four_bits(
    precision: str, gpu: GpuModel, tensor_parallel: int, expected: int | None
) -> None:
    memory = engine_memory(intent(precision), gpu, tensor_parallel=tensor_parallel)
    assert (memory.kv_tokens if memory.fits else None) == expected


@pytest.mark.parametrize(
    ("precision", "expected_gib"),
    [(Precision.FP16, 24.24), (Precision.FP8, 12.43), (Precision.AWQ, 6.75)],
)
def test_weights_of_the_whole_model(precision: Precision, expected_gib: float) -> None:
    assert round(weights_bytes(LLAMA_2_13B_CHAT, precision, 1) / GIB, 2) == expected_gib


def test_the_shape_accounts_for_every_parameter_of_the_model() -> None:
    assert weights_bytes(LLAMA_2_13B_CHAT, Precision.FP16, 1) == 2 * LLAMA_2_13B_CHAT.parameters


def test_pipeline_stages_hold_the_embedding_first_and_the_output_head_last() -> None:
    stages = [
        weights_bytes(LLAMA_2_13B_CHAT, Precision.FP16, 1, layers=layers, first=stage == 0, last=stage == 2)
        for stage, layers in enumerate(pipeline_layers(40, 3))
    ]
    assert [round(stage / GIB, 2) for stage in stages] == [7.99, 8.27, 7.99]
    assert sum(stages) == weights_bytes(LLAMA_2_13B_CHAT, Precision.FP16, 1)


def test_tied_embeddings_are_held_once() -> None:
    tied = replace(LLAMA_2_13B_CHAT, tied_embeddings=True)
    saved = weights_bytes(LLAMA_2_13B_CHAT, Precision.FP16, 1) - weights_bytes(tied, Precision.FP16, 1)
    assert saved == 2 * 32_000 * 5_120


@pytest.mark.parametrize(
    ("layers", "stages", "expected"),
    [(40, 3, (13, 14, 13)), (40, 5, (8,) * 5), (42, 4, (10, 11, 11, 10)), (7, 4, (2, 2, 2, 1))],
)
def test_layers_left_over_go_to_the_stages_before_the_last(layers: int, stages: int, expected: tuple[int, ...]) -> None:
    assert pipeline_layers(layers, stages) == expected


def test_a_token_takes_819200_bytes_in_16_bits_and_half_in_8() -> None:
    assert kv_token_bytes(LLAMA_2_13B_CHAT, KvCacheDtype.AUTO, 1) == 819_200
    assert kv_token_bytes(LLAMA_2_13B_CHAT, KvCacheDtype.FP8, 1) == 409_600


def test_grouped_kv_heads_are_copied_when_there_are_fewer_than_gpus() -> None:
    grouped: ModelShape = replace(LLAMA_2_13B_CHAT, kv_heads=2)
    assert kv_token_bytes(grouped, KvCacheDtype.AUTO, 4) == kv_token_bytes(grouped, KvCacheDtype.AUTO, 2)


def test_the_engine_needs_one_block_more_than_its_longest_request() -> None:
    memory = engine_memory(intent(), RTX_5090, tensor_parallel=1)
    exactly = replace(memory, available_bytes=(memory.needed_blocks + 1) * memory.block_bytes)
    assert exactly.fits
    assert not replace(exactly, available_bytes=exactly.available_bytes - 1).fits


def test_the_arithmetic_is_written_out() -> None:
    assert engine_memory(intent("fp16"), RTX_5090, tensor_parallel=1).arithmetic == (
        "0.9 × 31.36 = 28.22 GiB - weights 24.24 - overhead 1.00 = 2.98 GiB for the KV cache; "
        "one request of 4,096 tokens needs 3.14 GiB"
    )
