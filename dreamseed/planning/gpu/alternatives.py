"""Every other layout of the same GPUs, and why it was not chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus
from dreamseed.planning.gpu.layout import Alternative, Replica, Standing, total_capacities
from dreamseed.planning.gpu.legality import legal_tensor_parallel_sizes, tensor_parallel_refusals
from dreamseed.planning.gpu.memory import engine_memory
from dreamseed.planning.gpu.replicas import lay_out


def find_alternatives(
    intent: EngineIntent, servers: Sequence[ServerGpus], chosen: Sequence[Replica]
) -> tuple[Alternative, ...]:
    """The layouts that another largest size would give, then those that no stage file can ask for."""
    return (
        *_other_sizes(intent, servers, chosen),
        *_illegal_sizes(intent, servers),
        *_pipelines(intent, servers),
        *_groups(servers),
    )


def engines_text(replicas: Sequence[Replica]) -> str:
    """Engines in one line, for example "server-1: tp2 + tp1, server-2: tp2"."""
    by_server: dict[str, list[str]] = {}
    for replica in replicas:
        by_server.setdefault(replica.server, []).append(f"tp{replica.tensor_parallel}")
    return ", ".join(f"{server}: {' + '.join(sizes)}" for server, sizes in by_server.items())


def _other_sizes(
    intent: EngineIntent, servers: Sequence[ServerGpus], chosen: Sequence[Replica]
) -> Iterator[Alternative]:
    asked = intent.max_tensor_parallel
    largest = max(server.count for server in servers)
    seen = {engines_text(chosen)}
    for size in legal_tensor_parallel_sizes(intent.shape, largest, intent.precision):
        replicas = lay_out(replace(intent, max_tensor_parallel=size), servers)
        layout = engines_text(replicas)
        if layout in seen:
            continue
        seen.add(layout)
        unfit = next((replica.memory for replica in replicas if not replica.memory.fits), None)
        if unfit is not None:
            reason = f"an engine does not start: {unfit.arithmetic}"
            yield Alternative(layout, Standing.REFUSED, reason)
            continue
        yield Alternative(
            layout,
            Standing.RANKED_LOWER,
            f"the stage asks for engines of at most {asked} {'GPU' if asked == 1 else 'GPUs'}, largest "
            f"first; write max_tensor_parallel: {size} to choose this layout",
            engines=len(replicas),
            kv_tokens=sum(replica.kv_tokens for replica in replicas),
            capacities=total_capacities(replicas),
        )


def _illegal_sizes(intent: EngineIntent, servers: Sequence[ServerGpus]) -> Iterator[Alternative]:
    for size in range(2, max(server.count for server in servers) + 1):
        reasons = tensor_parallel_refusals(intent.shape, size, intent.precision)
        if reasons:
            yield Alternative(f"tp{size} on one server", Standing.REFUSED, "; ".join(reasons))


def _pipelines(intent: EngineIntent, servers: Sequence[ServerGpus]) -> Iterator[Alternative]:
    for server in servers:
        if not 2 <= server.count <= intent.shape.layers:
            continue
        memory = engine_memory(intent, server.gpu, tensor_parallel=1, pipeline_parallel=server.count)
        layout = f"{server.name}: pp{server.count}"
        if not memory.fits:
            reason = f"the engine does not start: {memory.arithmetic}"
            yield Alternative(layout, Standing.REFUSED, reason)
            continue
        yield Alternative(
            layout,
            Standing.RANKED_LOWER,
            f"a pipeline makes the server's {server.count} GPUs one failure domain, and each token passes "
            "them one after another; the plan asks for tensor parallelism",
            engines=1,
            kv_tokens=memory.kv_tokens,
        )


def _groups(servers: Sequence[ServerGpus]) -> Iterator[Alternative]:
    total = sum(server.count for server in servers)
    if total > 1:
        yield Alternative(
            f"data-parallel group of {total}",
            Standing.REFUSED,
            "when one engine of a group dies, the whole group exits; independent replicas behind a router do not",
        )
    if len(servers) > 1:
        reason = "one engine never spans two servers: either of them, or the link, would stop it"
        if total % len(servers):
            reason += f"; vLLM also cannot divide {total} GPUs evenly over {len(servers)} servers"
        names = " and ".join(server.name for server in servers)
        yield Alternative(f"one engine of {total} GPUs over {names}", Standing.REFUSED, reason)
