"""Which tensor-parallel sizes can split a model, and why the others cannot.

vLLM's own configuration check looks at the attention heads only: it accepts size 5 for 40 heads, and the
engine then dies while building the model, without a message. So the planner owns the whole rule.
Source: vLLM 0.33.0 source, confirmed by starting sizes 1 to 5 with the 13B shape on CPU, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.catalog.model_shapes import ModelShape, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus
from dreamseed.planning.gpu.partition import partition_gpus

VOCABULARY_PADDING = 64
AWQ_GROUP = 128


def tensor_parallel_refusals(shape: ModelShape, size: int, precision: Precision = Precision.FP16) -> tuple[str, ...]:
    """Why `size` GPUs cannot share one engine of this model; empty when they can."""
    if size < 1:
        return ("an engine uses at least 1 GPU",)
    vocabulary = -(-shape.vocab // VOCABULARY_PADDING) * VOCABULARY_PADDING
    reasons = []
    if shape.heads % size:
        reasons.append(f"{shape.heads} attention heads are not divisible by {size}")
    if shape.kv_heads % size and size % shape.kv_heads:
        reasons.append(f"{shape.kv_heads} KV heads are not divisible by {size}")
    if shape.intermediate % size:
        reasons.append(f"MLP width {shape.intermediate:,} is not divisible by {size}")
    if vocabulary % size:
        reasons.append(f"vocabulary {vocabulary:,} (padded to {VOCABULARY_PADDING}) is not divisible by {size}")
    if precision is Precision.AWQ:
        reasons.extend(
            f"{name} {width:,} / {size} is not a multiple of the AWQ group of {AWQ_GROUP}"
            for name, width in (("MLP width", shape.intermediate), ("hidden width", shape.hidden))
            if width % size == 0 and width // size % AWQ_GROUP
        )
    return tuple(reasons)


def legal_tensor_parallel_sizes(
    shape: ModelShape, up_to: int, precision: Precision = Precision.FP16
) -> tuple[int, ...]:
    """The legal sizes from 1 to `up_to`, ascending."""
    return tuple(s for s in range(1, up_to + 1) if not tensor_parallel_refusals(shape, s, precision))


def check_max_tensor_parallel(intent: EngineIntent, servers: Sequence[ServerGpus], where: str) -> None:
    """Refuse a largest size that is not itself legal, naming the legal ones and the layout they give.

    Raises PlanError at `where` › max_tensor_parallel.
    """
    asked = intent.max_tensor_parallel
    reasons = tensor_parallel_refusals(intent.shape, asked, intent.precision)
    if not reasons:
        return
    legal = legal_tensor_parallel_sizes(intent.shape, min(max(4, asked), intent.shape.heads), intent.precision)
    shared = [size for size in legal if size > 1]
    remedy = _either([str(size) for size in shared]) if shared else "1"
    layouts = {size: _layout_text(servers, legal, size) for size in shared or [1]}
    if len(set(layouts.values())) == 1:
        gets = next(iter(layouts.values()))
    else:
        gets = "; ".join(f"{text} with {size}" for size, text in layouts.items())
    if shared:
        remedy += " (or 1 for independent replicas of one GPU each)"
    raise PlanError(
        where=f"{where} › max_tensor_parallel",
        what=f"{asked} GPUs cannot share one engine of {intent.shape.repository}",
        why="; ".join(reasons),
        remedy=f"{remedy}; {gets}",
    )


def _layout_text(servers: Sequence[ServerGpus], legal: Sequence[int], largest: int) -> str:
    """What each server's GPUs become, for example "the 3 GPUs of server-1 then serve as tp2 + tp1"."""
    slots = partition_gpus(servers, [size for size in legal if size <= largest])
    parts = []
    for server in servers:
        sizes = " + ".join(f"tp{slot.tensor_parallel}" for slot in slots if slot.server == server.name)
        parts.append(f"the {server.count} {'GPU' if server.count == 1 else 'GPUs'} of {server.name} serve as {sizes}")
    return ", ".join(parts)


def _either(choices: Sequence[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
