from __future__ import annotations

import pytest

from dreamseed.catalog.model_shapes import Precision
from dreamseed.errors import PlanError
from simulator.arguments import parse
from simulator.refusals import StartRefusedError, engine_of
from simulator.settings import read_pace
from tests.simulator.made import MODEL, settings

HEADS = "Total number of attention heads (40) must be divisible by tensor parallel size (3)."
TOO_LONG = (
    "User-specified max_model_len (8192) is greater than the derived max_model_len (max_position_embeddings=4096 or "
    "model_max_length=None in model's config.json)."
)


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (("--tensor-parallel-size", "3"), "ValidationError", HEADS),
        (("--tensor-parallel-size", "0"), "ValidationError", "tensor_parallel_size"),
        (("--max-model-len", "8192"), "ValidationError", TOO_LONG),
        (("--quantization", "bogus"), "ValidationError", "Unknown quantization method: bogus."),
        (("--gpu-memory-utilization", "1.5"), "ValidationError", "less than or equal to 1"),
        (("--max-num-batched-tokens", "64"), "ValidationError", "greater than or equal to max_num_seqs (256)."),
        (("--quantization", "awq"), "ValueError", "Cannot find the config file for awq"),
        (("--gpu-memory-utilization", "0.3"), "ValueError", "No available memory for the cache blocks."),
    ],
)
def test_what_the_engine_refuses_is_said_in_vllms_words(given: tuple[str, ...], kind: str, message: str) -> None:
    with pytest.raises(StartRefusedError) as refusal:
        settings(*given)
    assert kind in str(refusal.value).splitlines()[0]
    assert message in str(refusal.value)


def test_a_size_that_divides_the_heads_only_dies_without_a_word_while_the_model_is_built() -> None:
    with pytest.raises(StartRefusedError) as refusal:
        settings("--tensor-parallel-size", "5")
    assert str(refusal.value).splitlines()[0] == "AssertionError"
    assert "Engine core initialization failed." in str(refusal.value)


def test_16_bit_weights_leave_one_card_too_little_for_a_request_of_full_length() -> None:
    # Also what the facts of 2026-11-22 expect: 3.12 GiB needed, 0.9 of 31.36 GiB less the weights less 1 GiB of others.
    with pytest.raises(StartRefusedError) as refusal:
        engine_of(parse(("serve", MODEL, "--gpu-memory-utilization", "0.9")), read_pace({}))
    assert "model's max seq len (4096), (3.12 GiB KV cache is needed" in str(refusal.value)
    assert "the available KV cache memory (2.97 GiB). Based on the available memory, the estimated" in str(
        refusal.value
    )


def test_two_cards_or_fixed_cache_memory_or_shorter_requests_hold_16_bit_weights() -> None:
    base = ("serve", MODEL, "--gpu-memory-utilization", "0.9")
    for more in (
        ("--tensor-parallel-size", "2"),
        ("--kv-cache-memory-bytes", str(4 * 2**30)),
        ("--max-model-len", "2048"),
    ):
        intent, memory = engine_of(parse((*base, *more)), read_pace({}))
        assert intent.precision is Precision.FP16
        assert memory.fits


def test_more_cards_than_the_container_pretends_to_see_are_refused() -> None:
    with pytest.raises(StartRefusedError, match=r"World size \(2\) is larger than the number of available GPUs \(1\)"):
        settings("--tensor-parallel-size", "2", SIMULATOR_GPU_COUNT="1")


def test_a_smaller_card_refuses_what_a_larger_one_holds() -> None:
    with pytest.raises(StartRefusedError, match="No available memory"):
        settings(SIMULATOR_GPU="t4")


def test_a_model_or_a_card_or_a_pace_that_nobody_knows_is_refused_with_those_known() -> None:
    with pytest.raises(PlanError, match="not in the catalogue"):
        engine_of(parse(("serve", "nobody/knows")), read_pace({}))
    with pytest.raises(PlanError, match="SIMULATOR_GPU: the GPU model 'abacus'"):
        read_pace({"SIMULATOR_GPU": "abacus"})
    with pytest.raises(PlanError, match="SIMULATOR_SPEED: 'fast'"):
        read_pace({"SIMULATOR_SPEED": "fast"})
    with pytest.raises(PlanError, match="SIMULATOR_SPEED: '0'"):
        read_pace({"SIMULATOR_SPEED": "0"})
