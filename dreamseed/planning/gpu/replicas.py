"""Engines with their memory and capacity, from the GPUs they are given."""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus
from dreamseed.planning.gpu.layout import Replica
from dreamseed.planning.gpu.legality import legal_tensor_parallel_sizes
from dreamseed.planning.gpu.memory import engine_memory
from dreamseed.planning.gpu.partition import Slot, partition_gpus
from dreamseed.planning.gpu.roofline import capacity, request_lengths_tokens


def lay_out(intent: EngineIntent, servers: Sequence[ServerGpus]) -> tuple[Replica, ...]:
    """The engines under an intent whose largest tensor-parallel size is legal, whether they fit or not."""
    sizes = legal_tensor_parallel_sizes(intent.shape, intent.max_tensor_parallel, intent.precision)
    servers_by_name = {server.name: server for server in servers}
    return tuple(_replica(intent, slot, servers_by_name[slot.server]) for slot in partition_gpus(servers, sizes))


def _replica(intent: EngineIntent, slot: Slot, server: ServerGpus) -> Replica:
    size = slot.tensor_parallel
    memory = engine_memory(intent, server.gpu, tensor_parallel=size)
    return Replica(
        server=slot.server,
        index_on_server=slot.index_on_server,
        gpu=server.gpu,
        gpu_indices=slot.gpu_indices,
        memory=memory,
        capacities=tuple(
            capacity(intent, server.gpu, memory, size, length) for length in request_lengths_tokens(intent)
        ),
    )
