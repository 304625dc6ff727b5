from __future__ import annotations

from dataclasses import replace

import pytest

from dreamseed.catalog.gpus import L4, RTX_5090
from dreamseed.errors import PlanError
from dreamseed.planning.gpu import EngineMemory, ServerGpus, plan_gpu_layout
from tests.planning.gpu.fleets import intent, servers, sizes


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        ((1,), {"server-1": [1]}),
        ((2,), {"server-1": [2]}),
        ((3,), {"server-1": [2, 1]}),
        ((4,), {"server-1": [2, 2]}),
        ((2, 2), {"server-1": [2], "server-2": [2]}),
        ((3, 2), {"server-1": [2, 1], "server-2": [2]}),
    ],
)
def test_each_stage_gets_the_plans_layout(gpus: tuple[int, ...], expected: dict[str, list[int]]) -> None:
    assert sizes(plan_gpu_layout(intent(), servers(*gpus))) == expected


@pytest.mark.parametrize(
    ("largest", "gpus", "expected"),
    [(1, 4, [1, 1, 1, 1]), (4, 4, [4]), (4, 3, [2, 1]), (4, 5, [4, 1]), (4, 7, [4, 2, 1])],
)
def test_another_largest_size_gives_another_layout(largest: int, gpus: int, expected: list[int]) -> None:
    assert sizes(plan_gpu_layout(intent(largest=largest), servers(gpus))) == {"server-1": expected}


def test_growing_from_three_to_four_gpus_leaves_the_first_replica_alone() -> None:
    before = plan_gpu_layout(intent(), servers(3)).replicas
    after = plan_gpu_layout(intent(), servers(4)).replicas
    assert before[0] == after[0]
    assert after[0].index_on_server == 1
    assert after[0].gpu_indices == (0, 1)
    assert (before[1].gpu_indices, after[1].gpu_indices) == ((2,), (2, 3))


def test_adding_a_server_leaves_the_replicas_of_the_first_alone() -> None:
    assert plan_gpu_layout(intent(), servers(3, 2)).replicas[:2] == plan_gpu_layout(intent(), servers(3)).replicas


def test_stage_e_adds_up_its_three_engines() -> None:
    layout = plan_gpu_layout(intent(), servers(3, 2))
    assert layout.gpu_count == 5
    assert layout.kv_tokens == 54_416 + 19_392 + 54_416
    assert [total.resident_sequences for total in layout.capacities] == [
        106 + 37 + 106,
        53 + 18 + 53,
        26 + 9 + 26,
        13 + 4 + 13,
    ]
    assert [replica.gpu_indices for replica in layout.replicas_on("server-2")] == [(0, 1)]


def refuse_fp16_on_one_gpu() -> PlanError:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent("fp16"), servers(1), where="stage-a › vllm")
    return refused.value


def test_fp16_on_one_gpu_is_refused_with_the_arithmetic_and_every_way_out() -> None:
    refusal = refuse_fp16_on_one_gpu()
    assert refusal.where == "stage-a › vllm › precision"
    assert refusal.what == ("meta-llama/Llama-2-13b-chat-hf in fp16 does not fit GPU 0 of server-1 (1 × rtx-5090)")
    assert refusal.why.startswith("0.9 × 31.36 = 28.22 GiB - weights 24.24 - overhead 1.00 = 2.98 GiB")
    assert refusal.remedy.split("; or ") == [
        "precision: fp8 (smallest replica: 19,392 KV tokens)",
        "precision: awq with an AWQ checkpoint (smallest replica: 26,832 KV tokens)",
        "kv_cache_dtype: fp8 (smallest replica: 7,808 KV tokens)",
        "gpu_memory_utilization: 0.92 (smallest replica: 4,720 KV tokens)",
        "gpu_memory_utilization: 0.95 (smallest replica: 5,952 KV tokens)",
    ]


def test_a_fit_rule_that_forgets_the_longest_request_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EngineMemory, "fits", property(lambda memory: memory.blocks > 0))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        refuse_fp16_on_one_gpu()


def test_a_fleet_in_fp16_is_refused_whole_when_only_its_single_gpu_engine_does_not_fit() -> None:
    assert sizes(plan_gpu_layout(intent("fp16"), servers(2, 2))) == {"server-1": [2], "server-2": [2]}
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent("fp16"), servers(2, 3))
    assert "does not fit GPU 2 of server-2" in refused.value.what
    assert "2 of 3 engines would start, but a fleet serves one precision everywhere" in refused.value.why


def test_replicas_of_one_gpu_that_do_not_fit_are_told_to_share() -> None:
    with pytest.raises(PlanError, match=r"max_tensor_parallel: 2 \(smallest replica: 38,928 KV tokens\)"):
        plan_gpu_layout(intent("fp16", largest=1), servers(2))


def test_each_way_out_really_is_one() -> None:
    for changed in (
        intent("fp8"),
        intent("awq"),
        intent("fp16", "fp8"),
        intent("fp16", utilization=0.92),
        intent("fp16", utilization=0.95),
    ):
        assert plan_gpu_layout(changed, servers(1)).gpu_count == 1


def test_a_model_that_fits_in_no_way_asks_for_more_memory() -> None:
    tiny = replace(RTX_5090, name="tiny", usable_gib=4.0)
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent("awq"), [ServerGpus("server-1", tiny, 1)])
    assert refused.value.remedy == "GPUs with more memory, or a smaller model"


def test_servers_may_have_different_gpus() -> None:
    layout = plan_gpu_layout(intent(), [*servers(1), ServerGpus("burst-1", L4, 1)])
    assert [replica.kv_tokens for replica in layout.replicas] == [19_392, 8_384]


@pytest.mark.parametrize("utilization", [0.0, -0.5, 1.0, 90.0, float("nan")])
def test_a_utilization_that_is_no_share_is_refused(utilization: float) -> None:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent(utilization=utilization), servers(1))
    assert refused.value.where == "vllm › gpu_memory_utilization"
    assert "for example 0.9" in refused.value.remedy


@pytest.mark.parametrize("max_model_len", [0, 8192])
def test_a_request_length_the_model_does_not_have_is_refused(max_model_len: int) -> None:
    with pytest.raises(PlanError) as refused:
        plan_gpu_layout(intent(max_model_len=max_model_len), servers(1))
    assert refused.value.where == "vllm › max_model_len"
    assert refused.value.remedy == "a length from 1 to 4096"


def test_a_fleet_needs_a_server_and_each_server_a_gpu_and_a_name_of_its_own() -> None:
    with pytest.raises(PlanError, match="no server has a GPU"):
        plan_gpu_layout(intent(), [])
    with pytest.raises(PlanError, match="server-1 › gpus: 0 GPUs"):
        plan_gpu_layout(intent(), servers(0))
    with pytest.raises(PlanError, match="'server-1' is used twice"):
        plan_gpu_layout(intent(), servers(1) * 2)
