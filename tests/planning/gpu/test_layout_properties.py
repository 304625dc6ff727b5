from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.gpus import GPU_MODELS, RTX_5090
from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, KvCacheDtype, ModelShape, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu import (
    Checkpoint,
    EngineIntent,
    GpuLayout,
    ServeOptions,
    ServerGpus,
    check_arguments,
    engine_memory,
    legal_tensor_parallel_sizes,
    plan_gpu_layout,
    replicas,
    tensor_parallel_refusals,
    vllm_arguments,
)
from dreamseed.planning.gpu.partition import Slot
from tests.planning.gpu.fleets import intent, servers

SMALL = replace(LLAMA_2_13B_CHAT, hidden=1536, heads=12, kv_heads=4, head_dim=128, intermediate=6144, layers=16)


@st.composite
def intents(draw: st.DrawFn) -> EngineIntent:
    shape: ModelShape = draw(st.sampled_from([LLAMA_2_13B_CHAT, SMALL]))
    precision = draw(st.sampled_from(Precision))
    return EngineIntent(
        shape=shape,
        precision=precision,
        kv_cache_dtype=draw(st.sampled_from(KvCacheDtype)),
        gpu_memory_utilization=draw(st.floats(0.5, 0.97)),
        max_model_len=draw(st.integers(1, shape.max_positions)),
        max_tensor_parallel=draw(st.sampled_from(legal_tensor_parallel_sizes(shape, 8, precision))),
    )


@st.composite
def fleets(draw: st.DrawFn) -> list[ServerGpus]:
    cards = st.sampled_from(list(GPU_MODELS.values()))
    drawn = draw(st.lists(st.tuples(cards, st.integers(1, 8)), min_size=1, max_size=3))
    return [ServerGpus(f"server-{number}", gpu, count) for number, (gpu, count) in enumerate(drawn, 1)]


def planned(asked: EngineIntent, fleet: Sequence[ServerGpus]) -> GpuLayout | None:
    try:
        return plan_gpu_layout(asked, fleet)
    except PlanError as refusal:
        if refusal.where != "vllm › precision":  # only memory may refuse what these strategies draw
            raise
        return None


def served_as_stored(asked: EngineIntent) -> ServeOptions:
    """Options with a checkpoint that needs no conversion, so that no card is too small to load it."""
    checkpoint = Checkpoint("/models/chat", None, asked.precision)
    return ServeOptions(served_model_name="chat", max_num_queued_reqs=512, checkpoint=checkpoint)


def check_layout(layout: GpuLayout, fleet: Sequence[ServerGpus]) -> None:
    """Everything that must hold for the layout of any fleet."""
    asked = layout.intent
    for server in fleet:
        engines = layout.replicas_on(server.name)
        used = [gpu for engine in engines for gpu in engine.gpu_indices]
        assert used == list(range(server.count)), "each GPU of the server once, in order, none unused"
        assert [engine.index_on_server for engine in engines] == list(range(1, len(engines) + 1))
        full_size = sum(engine.tensor_parallel == asked.max_tensor_parallel for engine in engines)
        assert full_size == server.count // asked.max_tensor_parallel
    assert layout.gpu_count == sum(server.count for server in fleet)
    for replica in layout.replicas:
        assert replica.tensor_parallel <= asked.max_tensor_parallel
        assert not tensor_parallel_refusals(asked.shape, replica.tensor_parallel, asked.precision)
        assert replica.memory.fits
        assert replica.kv_tokens % 16 == 0
        assert replica.kv_tokens >= asked.max_model_len
        assert all(held.resident_sequences >= 1 for held in replica.capacities)
        assert all(0 < held.tokens_per_second_low <= held.tokens_per_second_high for held in replica.capacities)


@given(intents(), fleets())
def test_a_planned_fleet_uses_every_gpu_once_on_its_server_in_engines_that_start(
    asked: EngineIntent, fleet: list[ServerGpus]
) -> None:
    layout = planned(asked, fleet)
    if layout is not None:
        check_layout(layout, fleet)


def test_the_check_itself_catches_an_engine_that_spans_two_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def spanning(_fleet: Sequence[ServerGpus], _sizes: Sequence[int]) -> tuple[Slot, ...]:
        return (Slot("server-1", 1, (0, 1)),)

    monkeypatch.setattr(replicas, "partition_gpus", spanning)
    fleet = servers(1, 1)
    with pytest.raises(AssertionError, match="each GPU of the server once"):
        check_layout(plan_gpu_layout(intent(), fleet), fleet)


def test_the_check_itself_catches_a_gpu_given_to_two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    def overlapping(_fleet: Sequence[ServerGpus], _sizes: Sequence[int]) -> tuple[Slot, ...]:
        return Slot("server-1", 1, (0, 1)), Slot("server-1", 2, (1, 2))

    monkeypatch.setattr(replicas, "partition_gpus", overlapping)
    fleet = servers(3)
    with pytest.raises(AssertionError, match="each GPU of the server once"):
        check_layout(plan_gpu_layout(intent(), fleet), fleet)


@given(intents(), fleets())
def test_every_argument_list_of_a_planned_fleet_passes_the_flag_table(
    asked: EngineIntent, fleet: list[ServerGpus]
) -> None:
    layout = planned(asked, fleet)
    for replica in layout.replicas if layout else ():
        assert check_arguments(vllm_arguments(replica, asked, served_as_stored(asked))) == []


@given(intents(), st.floats(0.5, 0.97), st.sampled_from([1, 2, 4]))
def test_more_utilization_never_holds_fewer_tokens(asked: EngineIntent, other: float, size: int) -> None:
    low, high = sorted((asked.gpu_memory_utilization, other))
    held = [
        engine_memory(replace(asked, gpu_memory_utilization=share), RTX_5090, tensor_parallel=size).kv_tokens
        for share in (low, high)
    ]
    assert held[0] <= held[1]


@given(intents())
def test_more_gpus_an_engine_never_hold_fewer_tokens_when_the_overhead_is_the_same(
    asked: EngineIntent,
) -> None:
    measured = replace(asked, measured_overhead_gib=1.25)
    sizes = legal_tensor_parallel_sizes(asked.shape, 8, asked.precision)
    held = [engine_memory(measured, RTX_5090, tensor_parallel=size).kv_tokens for size in sizes]
    assert held == sorted(held)


@given(st.integers(1, 15), st.sampled_from([1, 2, 4]))
def test_a_growing_server_keeps_every_engine_of_the_largest_size(count: int, largest: int) -> None:
    asked = intent(largest=largest)
    before = plan_gpu_layout(asked, servers(count)).replicas
    after = plan_gpu_layout(asked, servers(count + 1)).replicas
    kept = count // largest
    assert before[:kept] == after[:kept]
