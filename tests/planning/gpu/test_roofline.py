from __future__ import annotations

import pytest

from dreamseed.catalog.gpus import RTX_5090
from dreamseed.planning.gpu import Capacity, engine_memory
from dreamseed.planning.gpu.roofline import capacity, request_lengths_tokens
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
