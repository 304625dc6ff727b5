from __future__ import annotations

import pytest

from dreamseed.catalog.gpus import RTX_5090, T4, GpuModel
from dreamseed.planning.gpu import Capacity, engine_memory
from dreamseed.planning.gpu.roofline import capacity, request_lengths_tokens, step_seconds
from tests.planning.gpu.fleets import intent


def of_one_engine(precision: str, kv: str, tensor_parallel: int, length: int, utilization: float = 0.9) -> Capacity:
    asked = intent(precision, kv, utilization=utilization)
    memory = engine_memory(asked, RTX_5090, tensor_parallel=tensor_parallel)
    return capacity(asked, RTX_5090, memory, tensor_parallel, length)


# Tokens per second and GPU from the reading of 2026-11-22, which rounds to three digits.
@pytest.mark.parametrize(
    ("precision", "kv", "tensor_parallel", "length", "utilization", "low", "high"),
    [
        ("fp16", "auto", 1, 512, 0.95, 515, 515),
        ("fp16", "fp8", 1, 512, 0.9, 737, 737),
        ("fp16", "auto", 2, 512, 0.9, 1_160, 1_500),
        ("fp16", "auto", 4, 512, 0.9, 925, 1_510),
        ("fp8", "auto", 1, 512, 0.9, 1_840, 1_840),
        ("fp8", "fp8", 1, 512, 0.9, 3_700, 3_700),
        ("fp8", "auto", 2, 512, 0.9, 1_480, 2_000),
        ("awq", "auto", 1, 512, 0.9, 2_565, 2_565),
        ("fp8", "auto", 1, 2_048, 0.9, 454, 454),
        ("fp16", "auto", 1, 2_048, 0.95, 98, 98),
        ("fp8", "fp8", 1, 2_048, 0.9, 907, 907),
        ("awq", "auto", 1, 2_048, 0.9, 641, 641),
        ("fp8", "auto", 2, 2_048, 0.9, 476, 567),
        ("fp16", "auto", 4, 2_048, 0.9, 402, 524),
    ],
)
def test_the_roofline_agrees_with_the_published_estimates(
    precision: str, kv: str, tensor_parallel: int, length: int, utilization: float, low: float, high: float
) -> None:
    found = of_one_engine(precision, kv, tensor_parallel, length, utilization)
    assert found.tokens_per_second_low / tensor_parallel == pytest.approx(low, rel=0.005)
    assert found.tokens_per_second_high / tensor_parallel == pytest.approx(high, rel=0.005)


def test_one_gpu_in_8_bits_holds_so_many_requests_of_each_length() -> None:
    resident = [of_one_engine("fp8", "auto", 1, length).resident_sequences for length in (512, 1024, 2048, 4096)]
    assert resident == [37, 18, 9, 4]


def test_an_engine_runs_at_most_256_requests_at_once_however_much_memory_it_has() -> None:
    assert of_one_engine("fp8", "fp8", 4, 512).resident_sequences == 256


def test_capacity_is_stated_only_for_requests_the_engine_accepts() -> None:
    assert request_lengths_tokens(intent(max_model_len=2048)) == (512, 1024, 2048)
    assert request_lengths_tokens(intent(max_model_len=256)) == (256,)


@pytest.mark.parametrize(("precision", "tensor_parallel"), [("fp8", 1), ("fp8", 2), ("fp16", 2), ("awq", 1)])
def test_a_step_of_answers_only_is_the_step_behind_the_capacity(precision: str, tensor_parallel: int) -> None:
    asked = intent(precision, "auto")
    memory = engine_memory(asked, RTX_5090, tensor_parallel=tensor_parallel)
    bound = capacity(asked, RTX_5090, memory, tensor_parallel, 1024)
    batch = bound.resident_sequences
    step = step_seconds(asked, RTX_5090, memory, tensor_parallel, new_tokens=batch, context_tokens=batch * 1024)
    assert batch / step == pytest.approx(bound.tokens_per_second_low)


def test_a_step_that_reads_a_long_prompt_takes_as_long_as_its_arithmetic() -> None:
    asked = intent("fp8", "auto")
    memory = engine_memory(asked, RTX_5090, tensor_parallel=1)
    step = step_seconds(asked, RTX_5090, memory, 1, new_tokens=2048, context_tokens=0)
    # 2 x 13.016e9 parameters x 2,048 tokens, at twice 209.5 tera FLOP/s and 0.6 of it.
    assert step == pytest.approx(0.2121, rel=0.001)


def test_8_bit_arithmetic_is_faster_only_where_the_card_has_it() -> None:
    def prompt_seconds(gpu: GpuModel, precision: str) -> float:
        asked = intent(precision, "auto")
        memory = engine_memory(asked, gpu, tensor_parallel=1)
        return step_seconds(asked, gpu, memory, 1, new_tokens=4096, context_tokens=0)

    assert prompt_seconds(RTX_5090, "fp16") == pytest.approx(2 * prompt_seconds(RTX_5090, "fp8"))
    assert prompt_seconds(T4, "fp16") == pytest.approx(prompt_seconds(T4, "fp8"))
