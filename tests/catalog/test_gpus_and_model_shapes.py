from __future__ import annotations

import re
from datetime import date

import pytest

from dreamseed.catalog.gpus import GPU_MODELS, RTX_5090, GpuModel, gpu_model
from dreamseed.catalog.model_shapes import LLAMA_2_13B_CHAT, MODEL_SHAPES, ModelShape, model_shape
from dreamseed.errors import PlanError


def test_the_plans_model_and_gpu_are_found_by_name() -> None:
    assert model_shape("meta-llama/Llama-2-13b-chat-hf") is LLAMA_2_13B_CHAT
    assert gpu_model("rtx-5090") is RTX_5090


def test_an_unknown_model_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PlanError) as refused:
        model_shape("meta-llama/Llama-2-7b-chat-hf", where="stage-a › vllm › model")
    assert refused.value.where == "stage-a › vllm › model"
    assert refused.value.remedy.startswith("one of meta-llama/Llama-2-13b-chat-hf;")


def test_an_unknown_gpu_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PlanError) as refused:
        gpu_model("rtx-4090")
    assert refused.value.remedy.startswith("one of l4, rtx-5090, t4;")


@pytest.mark.parametrize("gpu", GPU_MODELS.values(), ids=lambda gpu: gpu.name)
def test_a_gpu_shows_less_memory_than_its_box_promises(gpu: GpuModel) -> None:
    assert 0.85 * gpu.marketing_memory_gb < gpu.usable_gib < gpu.marketing_memory_gb


@pytest.mark.parametrize("shape", MODEL_SHAPES.values(), ids=lambda shape: shape.repository)
def test_a_model_is_pinned_to_a_commit(shape: ModelShape) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", shape.revision)


def test_every_fact_says_when_it_was_recorded() -> None:
    origins = [gpu.provenance for gpu in GPU_MODELS.values()]
    origins += [shape.provenance for shape in MODEL_SHAPES.values()]
    assert all(origin.recorded_on > date(2026, 1, 1) and origin.source for origin in origins)
