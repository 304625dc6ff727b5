"""Dividing each server's GPUs among engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.planning.gpu.intent import ServerGpus


@dataclass(frozen=True, slots=True)
class Slot:
    """The GPUs of one engine: always of one server; `index_on_server` counts from 1 in GPU order."""

    server: str
    index_on_server: int
    gpu_indices: tuple[int, ...]

    @property
    def tensor_parallel(self) -> int:
        """How many GPUs share the engine."""
        return len(self.gpu_indices)


def partition_gpus(servers: Sequence[ServerGpus], sizes: Sequence[int]) -> tuple[Slot, ...]:
    """Give each server's GPUs to engines, the largest of `sizes` that still fits first.

    Largest first because the growth plan asks for tensor parallelism: the stage states the largest size it
    wants and smaller engines take only what is left over. Because GPUs are given out in order, a server that
    gets more GPUs keeps every engine of the largest size on the same GPUs and under the same number.
    GPUs stay unused only when no size is small enough; size 1 is always legal, so in practice none do.
    """
    slots = []
    for server in servers:
        first_free = 0
        index = 1
        while fitting := [size for size in sizes if size <= server.count - first_free]:
            size = max(fitting)
            slots.append(Slot(server.name, index, tuple(range(first_free, first_free + size))))
            first_free += size
            index += 1
    return tuple(slots)
