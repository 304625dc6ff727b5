"""The GPU layout of a fleet: its engines, what each can hold, and the layouts that were not chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dreamseed.catalog.gpus import GpuModel
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.memory import EngineMemory
from dreamseed.planning.gpu.roofline import Capacity


class Standing(StrEnum):
    """Why a layout was not chosen."""

    REFUSED = "refused"
    RANKED_LOWER = "ranked lower"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A layout that was considered and not chosen.

    The figures are known only when the layout could work, and are for the GPUs that `layout` names: its
    engines, their KV tokens together, and their capacity (not modelled for pipelines).
    """

    layout: str
    standing: Standing
    reason: str
    engines: int | None = None
    kv_tokens: int | None = None
    capacities: tuple[Capacity, ...] = ()


@dataclass(frozen=True, slots=True)
class Replica:
    """One engine: the GPUs of one server that it uses, its memory and its capacity.

    `index_on_server` counts from 1 in GPU order. An engine of the largest size keeps its number and its GPUs
    when its server grows.
    """

    server: str
    index_on_server: int
    gpu: GpuModel
    gpu_indices: tuple[int, ...]
    memory: EngineMemory
    capacities: tuple[Capacity, ...]

    @property
    def tensor_parallel(self) -> int:
        """How many GPUs share the engine."""
        return len(self.gpu_indices)

    @property
    def kv_tokens(self) -> int:
        """Tokens that the engine's KV cache holds."""
        return self.memory.kv_tokens


def total_capacities(replicas: Sequence[Replica]) -> tuple[Capacity, ...]:
    """The capacities of several engines added up, one for each request length."""
    return tuple(
        Capacity(
            tokens_per_request=same_length[0].tokens_per_request,
            resident_sequences=sum(c.resident_sequences for c in same_length),
            tokens_per_second_low=sum(c.tokens_per_second_low for c in same_length),
            tokens_per_second_high=sum(c.tokens_per_second_high for c in same_length),
        )
        for same_length in zip(*(replica.capacities for replica in replicas), strict=True)
    )


@dataclass(frozen=True, slots=True)
class GpuLayout:
    """The engines of the fleet, in order of server and GPU, and the alternatives."""

    intent: EngineIntent
    replicas: tuple[Replica, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def gpu_count(self) -> int:
        """GPUs in use."""
        return sum(replica.tensor_parallel for replica in self.replicas)

    @property
    def kv_tokens(self) -> int:
        """Tokens that all KV caches hold together; no request can use more than one engine's share."""
        return sum(replica.kv_tokens for replica in self.replicas)

    @property
    def capacities(self) -> tuple[Capacity, ...]:
        """The replicas' capacities added up for each request length; a request never spans two engines."""
        return total_capacities(self.replicas)

    def replicas_on(self, server: str) -> tuple[Replica, ...]:
        """The engines of one server, in GPU order."""
        return tuple(replica for replica in self.replicas if replica.server == server)
