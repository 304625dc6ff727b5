"""What a stage asks of its GPUs: the intent from which the layout is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.catalog.gpus import GpuModel
from dreamseed.catalog.model_shapes import KvCacheDtype, ModelShape, Precision
from dreamseed.errors import PlanError


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIntent:
    """How the fleet serves one model; every replica is served alike, so that all give the same answers.

    `gpu_memory_utilization` is vLLM's share of each GPU's usable memory, `max_model_len` the longest request
    in tokens, `max_tensor_parallel` the most GPUs that one engine may use. `measured_overhead_gib` replaces
    the estimated overhead per GPU once a real start has been read.
    """

    shape: ModelShape
    precision: Precision = Precision.FP8
    kv_cache_dtype: KvCacheDtype = KvCacheDtype.AUTO
    gpu_memory_utilization: float = 0.9
    max_model_len: int = 4096
    max_tensor_parallel: int = 2
    measured_overhead_gib: float | None = None


@dataclass(frozen=True, slots=True)
class ServerGpus:
    """The GPUs of one server: `count` cards of one model, with indices 0 to count - 1."""

    name: str
    gpu: GpuModel
    count: int


def check_intent(intent: EngineIntent, where: str) -> None:
    """Refuse settings that vLLM's parser lets through and its engine does not.

    Raises PlanError at `where` › the setting.
    """
    if not 0 < intent.gpu_memory_utilization < 1:
        raise PlanError(
            where=f"{where} › gpu_memory_utilization",
            what=f"{intent.gpu_memory_utilization:g} is not a share of a GPU's memory",
            why="the driver keeps some memory for itself, so an engine can never have all of it",
            remedy="a number between 0 and 1, for example 0.9",
        )
    if not 1 <= intent.max_model_len <= intent.shape.max_positions:
        raise PlanError(
            where=f"{where} › max_model_len",
            what=f"{intent.max_model_len:,} tokens are asked for",
            why=f"{intent.shape.repository} has {intent.shape.max_positions:,} positions; the engine would not start",
            remedy=f"a length from 1 to {intent.shape.max_positions}",
        )


def check_servers(servers: Sequence[ServerGpus], where: str) -> None:
    """Refuse an empty list, names used twice and servers without a GPU.

    Raises PlanError at `where` › servers.
    """
    if not servers:
        raise PlanError(
            where=f"{where} › servers",
            what="no server has a GPU",
            why="the model is served on the service's own GPUs",
            remedy="at least one server with at least one GPU",
        )
    seen: set[str] = set()
    for server in servers:
        if server.name in seen:
            raise PlanError(
                where=f"{where} › servers › {server.name}",
                what=f"the name {server.name!r} is used twice",
                why="a replica is known by its server's name and its number there",
                remedy="a different name for each server",
            )
        seen.add(server.name)
        if server.count < 1:
            raise PlanError(
                where=f"{where} › servers › {server.name} › gpus",
                what=f"{server.count} GPUs",
                why="a server in this list serves the model",
                remedy="1 or more, or leave the server out of the list",
            )
