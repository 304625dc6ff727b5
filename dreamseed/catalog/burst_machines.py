"""Machines of Google Cloud that a spot worker may be: their cards, CPUs and memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dreamseed.catalog.gpus import L4, T4, GpuModel
from dreamseed.catalog.provenance import Evidence, Provenance
from dreamseed.errors import PlanError


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstMachine:
    """One machine type. `attached` is the accelerator to ask for where the type does not bring its own cards."""

    name: str
    gpu: GpuModel
    gpu_count: int
    cpu_cores: int
    memory_gib: int
    attached: str | None = None


BURST_MACHINES = {
    machine.name: machine
    for machine in (
        BurstMachine(name="g2-standard-4", gpu=L4, gpu_count=1, cpu_cores=4, memory_gib=16),
        BurstMachine(name="g2-standard-8", gpu=L4, gpu_count=1, cpu_cores=8, memory_gib=32),
        BurstMachine(name="g2-standard-12", gpu=L4, gpu_count=1, cpu_cores=12, memory_gib=48),
        BurstMachine(name="g2-standard-16", gpu=L4, gpu_count=1, cpu_cores=16, memory_gib=64),
        BurstMachine(name="g2-standard-24", gpu=L4, gpu_count=2, cpu_cores=24, memory_gib=96),
        BurstMachine(name="n1-standard-8", gpu=T4, gpu_count=1, cpu_cores=8, memory_gib=30, attached="nvidia-tesla-t4"),
    )
}
"""The growth plan names n1-standard-8 with a T4; it is listed to say why it cannot hold the model."""

SOURCE = Provenance(
    source="docs/surprises.md, section 8 (cards); machine families' documentation (CPUs and memory, recalled)",
    recorded_on=date(2026, 11, 22),
    evidence=Evidence.UNVERIFIED,
)


def burst_machine(name: str, *, where: str) -> BurstMachine:
    """Return the machine `name`; raises `PlanError` naming those that are known."""
    try:
        return BURST_MACHINES[name]
    except KeyError:
        raise PlanError(
            where=where,
            what=f"the machine '{name}' is not in the catalogue",
            why="whether its cards hold the model cannot be computed",
            remedy=f"one of {', '.join(BURST_MACHINES)}, or a new row in dreamseed/catalog/burst_machines.py",
        ) from None
