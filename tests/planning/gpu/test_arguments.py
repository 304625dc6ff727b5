from __future__ import annotations

from dataclasses import replace

import pytest

from dreamseed.catalog.gpus import L4
from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu import (
    Checkpoint,
    EngineIntent,
    Replica,
    ServeOptions,
    ServerGpus,
    engine_requirements,
    plan_gpu_layout,
    vllm_arguments,
)
from tests.planning.gpu.fleets import intent, servers

OPTIONS = ServeOptions(served_model_name="llama-2-13b-chat", max_num_queued_reqs=200)


def first_replica(asked: EngineIntent, gpus: int) -> Replica:
    return plan_gpu_layout(asked, servers(gpus)).replicas[0]


def test_one_gpu_in_8_bits_gets_the_argument_list_that_vllms_parser_accepted() -> None:
    arguments = vllm_arguments(first_replica(intent(), 1), intent(), OPTIONS)
    assert arguments == (
        "meta-llama/Llama-2-13b-chat-hf",
        *("--revision", LLAMA_2_13B_CHAT.revision),
        *("--served-model-name", "llama-2-13b-chat"),
        *("--quantization", "fp8"),
        *("--tensor-parallel-size", "1"),
        *("--gpu-memory-utilization", "0.9"),
        *("--max-model-len", "4096"),
        *("--max-num-queued-reqs", "200"),
        *("--shutdown-timeout", "30"),
        *("--port", "8000"),
        "--disable-uvicorn-access-log",
    )


def test_an_engine_over_two_gpus_does_without_the_all_reduce_that_needs_peer_to_peer() -> None:
    arguments = vllm_arguments(first_replica(intent(), 2), intent(), OPTIONS)
    assert arguments[arguments.index("--tensor-parallel-size") + 1] == "2"
    assert arguments[-1] == "--disable-custom-all-reduce"
    replica = first_replica(intent(), 2)
    linked = replace(replica, gpu=replace(replica.gpu, peer_to_peer=True))
    assert "--disable-custom-all-reduce" not in vllm_arguments(linked, intent(), OPTIONS)


def test_fp16_is_served_as_it_is() -> None:
    asked = intent("fp16")
    assert "--quantization" not in vllm_arguments(first_replica(asked, 2), asked, OPTIONS)


def test_an_8_bit_kv_cache_is_asked_for() -> None:
    asked = intent("fp8", "fp8")
    arguments = vllm_arguments(first_replica(asked, 1), asked, OPTIONS)
    assert arguments[arguments.index("--kv-cache-dtype") + 1] == "fp8"


def test_a_checkpoint_already_in_the_fleets_precision_is_not_converted() -> None:
    asked = intent("awq")
    folder = Checkpoint("/models/llama-2-13b-chat-awq", None, Precision.AWQ)
    arguments = vllm_arguments(first_replica(asked, 1), asked, replace(OPTIONS, checkpoint=folder))
    assert arguments[0] == "/models/llama-2-13b-chat-awq"
    assert not {"--revision", "--quantization"} & set(arguments)


def test_awq_needs_an_awq_checkpoint() -> None:
    asked = intent("awq")
    with pytest.raises(PlanError) as refused:
        vllm_arguments(first_replica(asked, 1), asked, OPTIONS, where="stage-a › vllm")
    assert refused.value.where == "stage-a › vllm › checkpoint"
    assert refused.value.remedy == "a checkpoint in awq, or precision: fp16"


def test_a_gpu_too_small_for_the_unconverted_weights_needs_a_converted_checkpoint() -> None:
    replica = plan_gpu_layout(intent(), [ServerGpus("burst-1", L4, 1)]).replicas[0]
    with pytest.raises(PlanError) as refused:
        vllm_arguments(replica, intent(), OPTIONS)
    assert "24.24 GiB at once" in refused.value.why
    assert refused.value.remedy == "a checkpoint already in fp8"
    folder = Checkpoint("/models/llama-2-13b-chat-fp8", None, Precision.FP8)
    assert "--quantization" not in vllm_arguments(replica, intent(), replace(OPTIONS, checkpoint=folder))


def test_a_value_that_would_be_read_as_a_flag_is_refused() -> None:
    with pytest.raises(PlanError, match="--served-model-name: its value is missing"):
        vllm_arguments(first_replica(intent(), 1), intent(), replace(OPTIONS, served_model_name="--api-key"))


def test_a_limit_that_would_turn_away_requests_the_replica_can_run_is_refused() -> None:
    replica = first_replica(intent(), 2)
    with pytest.raises(PlanError) as refused:
        vllm_arguments(replica, intent(), replace(OPTIONS, max_num_queued_reqs=100), where="stage-b › vllm")
    assert refused.value.where == "stage-b › vllm › max_queued_requests"
    assert refused.value.remedy == "106 plus as many as may wait"


def test_one_gpu_needs_no_shared_memory_and_two_do() -> None:
    alone = engine_requirements(first_replica(intent(), 1), OPTIONS)
    shared = engine_requirements(first_replica(intent(), 2), OPTIONS)
    assert (alone.shm_size_mib, alone.host_ram_gib) == (None, 8)
    assert (shared.shm_size_mib, shared.host_ram_gib) == (8192, 16)
    assert "NCCL_P2P_DISABLE" not in dict(alone.environment)
    assert dict(shared.environment)["NCCL_P2P_DISABLE"] == "1"


def test_requirements_carry_the_names_of_secrets_but_no_secret_and_no_development_mode() -> None:
    needs = engine_requirements(first_replica(intent(), 2), OPTIONS)
    assert needs.secret_environment == ("HF_TOKEN", "VLLM_API_KEY")
    assert not {"HF_TOKEN", "VLLM_API_KEY", "VLLM_SERVER_DEV_MODE"} & set(dict(needs.environment))


def test_docker_waits_longer_than_the_engine_takes_to_finish_its_requests() -> None:
    needs = engine_requirements(first_replica(intent(), 1), replace(OPTIONS, shutdown_timeout_seconds=60))
    assert needs.stop_timeout_seconds == 75
