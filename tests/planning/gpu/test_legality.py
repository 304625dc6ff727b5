from __future__ import annotations

from dataclasses import replace

import pytest

from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, ModelShape, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu import (
    legal_tensor_parallel_sizes,
    legality,
    plan_gpu_layout,
    tensor_parallel_refusals,
)
from tests.planning.gpu.fleets import intent, servers


@pytest.mark.parametrize("precision", Precision)
def test_the_13b_model_is_served_by_one_two_or_four_gpus_of_five(precision: Precision) -> None:
    assert legal_tensor_parallel_sizes(LLAMA_2_13B_CHAT, 5, precision) == (1, 2, 4)


def test_three_gpus_are_refused_for_the_heads_and_the_vocabulary_but_not_for_the_mlp() -> None:
    assert tensor_parallel_refusals(LLAMA_2_13B_CHAT, 3) == (
        "40 attention heads are not divisible by 3",
        "40 KV heads are not divisible by 3",
        "vocabulary 32,000 (padded to 64) is not divisible by 3",
    )


def test_five_gpus_are_refused_for_the_mlp_alone_which_vllm_does_not_check() -> None:
    assert tensor_parallel_refusals(LLAMA_2_13B_CHAT, 5) == ("MLP width 13,824 is not divisible by 5",)


def test_kv_heads_may_be_fewer_than_the_gpus_when_they_are_copied_evenly() -> None:
    grouped = replace(LLAMA_2_13B_CHAT, kv_heads=2)
    assert tensor_parallel_refusals(grouped, 4) == ()
    uneven = replace(LLAMA_2_13B_CHAT, kv_heads=3)
    assert tensor_parallel_refusals(uneven, 4) == ("3 KV heads are not divisible by 4",)


def test_awq_refuses_a_size_that_cuts_through_its_groups() -> None:
    narrow = replace(LLAMA_2_13B_CHAT, intermediate=13_888)
    assert tensor_parallel_refusals(narrow, 2, Precision.FP8) == ()
    assert tensor_parallel_refusals(narrow, 2, Precision.AWQ) == (
        "MLP width 13,888 / 2 is not a multiple of the AWQ group of 128",
    )


def test_no_engine_uses_less_than_one_gpu() -> None:
    assert tensor_parallel_refusals(LLAMA_2_13B_CHAT, 0) == ("an engine uses at least 1 GPU",)


def test_asking_for_three_gpus_an_engine_says_why_not_and_what_three_gpus_get() -> None:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent(largest=3), servers(3), where="stage-c › vllm")
    assert refused.value.where == "stage-c › vllm › max_tensor_parallel"
    assert refused.value.what == "3 GPUs cannot share one engine of meta-llama/Llama-2-13b-chat-hf"
    assert "40 attention heads are not divisible by 3" in refused.value.why
    assert refused.value.remedy == (
        "2 or 4 (or 1 for independent replicas of one GPU each); the 3 GPUs of server-1 serve as tp2 + tp1"
    )


def refuse_five() -> None:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent(largest=5), servers(3, 2), where="stage-e › vllm")
    assert refused.value.why == "MLP width 13,824 is not divisible by 5"
    assert refused.value.remedy == (
        "2 or 4 (or 1 for independent replicas of one GPU each); "
        "the 3 GPUs of server-1 serve as tp2 + tp1, the 2 GPUs of server-2 serve as tp2"
    )


def test_asking_for_five_gpus_an_engine_is_refused_before_vllm_dies_building_the_model() -> None:
    refuse_five()


def test_a_rule_that_looks_at_the_heads_alone_as_vllm_does_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def heads_only(shape: ModelShape, size: int, precision: Precision = Precision.FP16) -> tuple[str, ...]:
        return ("heads",) if shape.heads % size else ()

    monkeypatch.setattr(legality, "tensor_parallel_refusals", heads_only)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        refuse_five()


def test_the_remedy_shows_each_layout_when_the_legal_sizes_give_different_ones() -> None:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent(largest=3), servers(4))
    assert refused.value.remedy.endswith(
        "the 4 GPUs of server-1 serve as tp2 + tp2 with 2; the 4 GPUs of server-1 serve as tp4 with 4"
    )


def test_a_model_that_no_two_gpus_can_share_is_told_to_use_one() -> None:
    odd = replace(LLAMA_2_13B_CHAT, heads=41, kv_heads=41)
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(replace(intent(largest=2), shape=odd), servers(1))
    assert refused.value.remedy == "1; the 1 GPU of server-1 serve as tp1"


@pytest.mark.parametrize("largest", [0, -1])
def test_a_largest_size_below_one_is_refused(largest: int) -> None:
    with pytest.raises(PlanError, match="an engine uses at least 1 GPU"):
        plan_gpu_layout(intent(largest=largest), servers(2))
