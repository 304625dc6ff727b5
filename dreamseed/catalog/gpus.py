"""GPU models: the memory CUDA really shows, memory bandwidth, arithmetic and what the driver allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dreamseed.catalog.provenance import Evidence, Provenance
from dreamseed.errors import PlanError


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuModel:
    """One GPU model; `name` is what a stage file writes.

    `marketing_memory_gb` is what the box says; `usable_gib` is what CUDA reports as total and what vLLM
    multiplies by its memory utilisation. `fp16_tera_flops` is the dense rate of 16-bit matrices that are
    summed in 32 bits; from compute capability 8.9 on, 8-bit ones run twice as fast. `peer_to_peer` tells
    whether GPUs of this model may copy directly to each other in one server; without it tensor parallelism
    goes through host memory.
    """

    name: str
    marketing_memory_gb: int
    usable_gib: float
    memory_bandwidth_gb_per_second: int
    fp16_tera_flops: float
    compute_capability: tuple[int, int]
    peer_to_peer: bool
    provenance: Provenance


RTX_5090 = GpuModel(
    name="rtx-5090",
    marketing_memory_gb=32,
    usable_gib=31.36,
    memory_bandwidth_gb_per_second=1792,
    fp16_tera_flops=209.5,
    compute_capability=(12, 0),
    peer_to_peer=False,
    provenance=Provenance(
        source="usable memory: nine public vLLM logs (vLLM issue 14452 prints 31.37); bandwidth: NVIDIA's "
        "data sheet; 16-bit rate: codesota.com/hardware/rtx-5090 (main-horse.github.io/posts/5090-mm-perf "
        "measured 224), read 2026-11-24; no peer-to-peer: GeForce drivers block it (vLLM issues 14628, 21491)",
        recorded_on=date(2026, 11, 24),
        evidence=Evidence.REPORTED,
    ),
)

L4 = GpuModel(
    name="l4",
    marketing_memory_gb=24,
    usable_gib=22.03,
    memory_bandwidth_gb_per_second=300,
    fp16_tera_flops=121,
    compute_capability=(8, 9),
    peer_to_peer=False,
    provenance=Provenance(
        source="NVIDIA's data sheet; usable memory and 16-bit rate recalled, not looked up; peer-to-peer not checked",
        recorded_on=date(2026, 11, 22),
        evidence=Evidence.UNVERIFIED,
    ),
)

T4 = GpuModel(
    name="t4",
    marketing_memory_gb=16,
    usable_gib=14.56,
    memory_bandwidth_gb_per_second=320,
    fp16_tera_flops=65,
    compute_capability=(7, 5),
    peer_to_peer=False,
    provenance=Provenance(
        source="NVIDIA's data sheet; usable memory and 16-bit rate recalled, not looked up; peer-to-peer not checked",
        recorded_on=date(2026, 11, 22),
        evidence=Evidence.UNVERIFIED,
    ),
)

GPU_MODELS: dict[str, GpuModel] = {gpu.name: gpu for gpu in (RTX_5090, L4, T4)}


def gpu_model(name: str, *, where: str = "servers › gpu") -> GpuModel:
    """A GPU model by its name.

    Raises PlanError when the catalogue does not know the name, naming those it knows.
    """
    try:
        return GPU_MODELS[name]
    except KeyError:
        raise PlanError(
            where=where,
            what=f"the GPU model {name!r} is not in the catalogue",
            why="the memory CUDA shows differs from what the box says, so it cannot be guessed",
            remedy=f"one of {', '.join(sorted(GPU_MODELS))}; or add it to dreamseed/catalog/gpus.py with the "
            "total memory that CUDA reports on that card",
        ) from None
