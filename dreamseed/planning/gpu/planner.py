"""From a stage's intent and its servers' GPUs to the layout of the fleet."""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.planning.gpu.alternatives import find_alternatives
from dreamseed.planning.gpu.fitting import check_fit
from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus, check_intent, check_servers
from dreamseed.planning.gpu.layout import GpuLayout
from dreamseed.planning.gpu.legality import check_max_tensor_parallel
from dreamseed.planning.gpu.replicas import lay_out


def plan_gpu_layout(intent: EngineIntent, servers: Sequence[ServerGpus], *, where: str = "vllm") -> GpuLayout:
    """Divide the servers' GPUs into engines and compute what each of them holds.

    Each server's GPUs go to the largest legal tensor-parallel size first, at most
    `intent.max_tensor_parallel`, because the growth plan asks for tensor parallelism; what is left over
    becomes smaller engines. An engine never spans two servers. `where` is the place of the intent in the
    stage file, for messages.

    Raises PlanError when the intent cannot be served, the largest size is not legal for the model, or an
    engine of the fleet would not start.
    """
    check_servers(servers, where)
    check_intent(intent, where)
    check_max_tensor_parallel(intent, servers, where)
    replicas = lay_out(intent, servers)
    check_fit(intent, servers, replicas, where)
    return GpuLayout(intent, replicas, find_alternatives(intent, servers, replicas))
