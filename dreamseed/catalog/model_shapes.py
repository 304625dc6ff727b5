"""Shapes of the models that the fleet can serve: everything the GPU layout and the memory arithmetic need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dreamseed.catalog.provenance import Evidence, Provenance
from dreamseed.errors import PlanError


class Precision(StrEnum):
    """Number format of the linear layers; embedding, output head and norms stay fp16 in all three.

    Source: vLLM 0.33.0 source, 2026-11-22; the names are read by the 0.31.0 image too.
    """

    FP16 = "fp16"
    FP8 = "fp8"
    AWQ = "awq"


class KvCacheDtype(StrEnum):
    """Number format of the KV cache, in vLLM's spelling; `auto` is the model's own 16 bits."""

    AUTO = "auto"
    FP8 = "fp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Dimensions of a decoder-only model of the Llama family (gated MLP, RMS norms, no biases).

    `revision` is the commit of the repository that is served. `parameters` counts every weight and is
    published by the model's own configuration, so it checks the other dimensions.
    """

    repository: str
    revision: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    max_positions: int
    tied_embeddings: bool
    parameters: int
    provenance: Provenance


LLAMA_2_13B_CHAT = ModelShape(
    repository="meta-llama/Llama-2-13b-chat-hf",
    # The snapshot most often seen in public code; the gated repository itself was not read.
    revision="a2cb7a712bb6e5e736ca7f8cd98167f81a0b5bd8",
    hidden=5120,
    layers=40,
    heads=40,
    kv_heads=40,
    head_dim=128,
    intermediate=13_824,
    vocab=32_000,
    max_positions=4096,
    tied_embeddings=False,
    parameters=13_015_864_320,
    provenance=Provenance(
        source="config.json of Llama-2-13B; parameters counted from a model built with vLLM 0.33.0 on CPU",
        recorded_on=date(2026, 11, 22),
        evidence=Evidence.EXECUTED,
    ),
)

MODEL_SHAPES: dict[str, ModelShape] = {shape.repository: shape for shape in (LLAMA_2_13B_CHAT,)}


def model_shape(repository: str, *, where: str = "vllm › model") -> ModelShape:
    """The shape of a model by its repository name.

    Raises PlanError when the catalogue does not know the model, naming those it knows.
    """
    try:
        return MODEL_SHAPES[repository]
    except KeyError:
        raise PlanError(
            where=where,
            what=f"the model {repository!r} is not in the catalogue",
            why="its layout and memory can be planned only from known dimensions",
            remedy=f"one of {', '.join(sorted(MODEL_SHAPES))}; or add its shape to "
            "dreamseed/catalog/model_shapes.py from the model's config.json",
        ) from None
