"""The argument list of one vLLM replica."""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.catalog.model_shapes import KvCacheDtype, Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu.argument_check import check_arguments
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.layout import Replica
from dreamseed.planning.gpu.memory import GIB, weights_bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The weights that are loaded: a repository or a folder, its commit if it has one, and its precision.

    A checkpoint in fp16 can be served in fp8: vLLM converts it while loading. AWQ must already be AWQ.
    """

    source: str
    revision: str | None
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a replica answers, apart from its GPUs.

    `max_num_queued_reqs` counts the requests in flight, running ones too (vLLM 0.31.0 source); one more gets
    503. `shutdown_timeout_seconds` lets running requests end. Without a checkpoint the model's own repository
    is served at the catalogue's commit.
    """

    served_model_name: str
    max_num_queued_reqs: int
    port: int = 8000
    shutdown_timeout_seconds: int = 30
    checkpoint: Checkpoint | None = None


def vllm_arguments(
    replica: Replica, intent: EngineIntent, options: ServeOptions, *, where: str = "vllm"
) -> tuple[str, ...]:
    """Arguments after the image's entrypoint `vllm serve`, checked against the frozen flag table.

    The model stands first: a flag that takes several values would swallow it. Secrets never appear here; they
    are environment variables (see EngineRequirements).
    Raises PlanError when the checkpoint cannot be served in the fleet's precision, or a value is no argument.
    """
    shape = intent.shape
    checkpoint = options.checkpoint or Checkpoint(shape.repository, shape.revision, Precision.FP16)
    _check_checkpoint(checkpoint, replica, intent, where)
    _check_admission(replica, options, where)
    arguments = [checkpoint.source]
    if checkpoint.revision is not None:
        arguments += ["--revision", checkpoint.revision]
    arguments += ["--served-model-name", options.served_model_name]
    if intent.precision is not checkpoint.precision:
        arguments += ["--quantization", str(intent.precision)]
    if intent.kv_cache_dtype is not KvCacheDtype.AUTO:
        arguments += ["--kv-cache-dtype", str(intent.kv_cache_dtype)]
    arguments += ["--tensor-parallel-size", str(replica.tensor_parallel)]
    arguments += ["--gpu-memory-utilization", f"{intent.gpu_memory_utilization:g}"]
    arguments += ["--max-model-len", str(intent.max_model_len)]
    arguments += ["--max-num-queued-reqs", str(options.max_num_queued_reqs)]
    arguments += ["--shutdown-timeout", str(options.shutdown_timeout_seconds)]
    arguments += ["--port", str(options.port)]
    arguments.append("--disable-uvicorn-access-log")
    if replica.tensor_parallel > 1 and not replica.gpu.peer_to_peer:
        arguments.append("--disable-custom-all-reduce")
    for fault in check_arguments(arguments, where=f"{where} › arguments"):
        raise fault
    return tuple(arguments)


def _check_admission(replica: Replica, options: ServeOptions, where: str) -> None:
    shortest = replica.capacities[0]
    if options.max_num_queued_reqs < shortest.resident_sequences:
        raise PlanError(
            f"{where} › max_queued_requests",
            f"{options.max_num_queued_reqs} requests are admitted to engine {replica.index_on_server} of "
            f"{replica.server}",
            f"it can run {shortest.resident_sequences} requests of {shortest.tokens_per_request} tokens at "
            "once, and vLLM counts running requests too",
            f"{shortest.resident_sequences} plus as many as may wait",
        )


def _check_checkpoint(checkpoint: Checkpoint, replica: Replica, intent: EngineIntent, where: str) -> None:
    if checkpoint.precision is intent.precision:
        return
    place = f"{where} › checkpoint"
    if (checkpoint.precision, intent.precision) != (Precision.FP16, Precision.FP8):
        raise PlanError(
            place,
            f"{checkpoint.source} is {checkpoint.precision}, the fleet serves {intent.precision}",
            "vLLM converts while loading only from fp16 to fp8",
            f"a checkpoint in {intent.precision}, or precision: {checkpoint.precision}",
        )
    peak_gib = weights_bytes(intent.shape, checkpoint.precision, replica.tensor_parallel) / GIB
    if peak_gib > replica.gpu.usable_gib:
        raise PlanError(
            place,
            f"{checkpoint.source} in {checkpoint.precision} is loaded onto {replica.gpu.name}",
            f"converting may hold all {peak_gib:.2f} GiB at once (vLLM issue 31805), the GPU has "
            f"{replica.gpu.usable_gib:g} GiB",
            f"a checkpoint already in {intent.precision}",
        )
