"""The spot worker: which engine it runs, and the script that starts it.

A worker has no address that the servers could know beforehand, and until stage E no network in common with
them. It calls out to a tunnel of its own, and the private name of that tunnel leads to whichever workers
are there.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum

from autoscaler.cloud import DRAIN_ITEM, GUEST_KEY, GUEST_NAMESPACE
from autoscaler.records import Report
from dreamseed.catalog.burst_machines import BurstMachine, burst_machine
from dreamseed.catalog.images import image
from dreamseed.catalog.model_shapes import model_shape
from dreamseed.config import StageConfig
from dreamseed.errors import PlanError
from dreamseed.planning import ports
from dreamseed.planning.gpu import (
    Checkpoint,
    EngineIntent,
    GpuLayout,
    Replica,
    ServeOptions,
    ServerGpus,
    plan_gpu_layout,
    vllm_arguments,
)
from dreamseed.planning.object_store import BucketRole, bucket_name
from dreamseed.planning.render import render
from dreamseed.planning.services.tunnel import TunnelRoute

DISK_GIB = 100
"""The system, the engine's image of about 20 GB unpacked and the weights."""
SHM_SIZE_MIB = 8_192
DRAIN_SECONDS = 100
"""How long a worker may end its requests: a little less than the autoscaler waits."""
MODEL_FOLDER = "/models/current"
"""Where the engine finds the weights."""


class BurstSecret(StrEnum):
    """What a worker reads from Secret Manager at its start."""

    MODELS_KEY_ID = "models-key-id"
    MODELS_KEY = "models-key"
    VLLM_API_KEY = "vllm-api-key"
    TUNNEL_TOKEN = "tunnel-token"  # noqa: S105 - a secret's name, not a secret


@dataclass(frozen=True, kw_only=True)
class BurstPlan:
    """A worker's machine, engine, life in seconds and script, and the private name that leads to the workers."""

    machine: BurstMachine
    engine: Replica
    zones: tuple[str, ...]
    max_run_seconds: int
    script: str
    route: TunnelRoute


def plan_burst(config: StageConfig, where: str) -> BurstPlan | None:
    """Return the worker, or null where the stage has none.

    Raises `PlanError` when the machine's cards do not hold the model, or a zone lies outside the service's
    region.
    """
    burst = config.vllm.burst
    if not burst.max_workers:
        return None
    place = f"{where} › vllm › burst"
    for zone in burst.zones:
        if not zone.startswith(f"{config.service.region}-"):
            raise PlanError(
                f"{place} › zones",
                f"{zone} is not in {config.service.region}",
                "the worker's template stands in the region's one subnet",
                f"a zone such as {config.service.zone}",
            )
    machine = burst_machine(burst.machine_type, where=f"{place} › machine_type")
    store, archive = config.object_store, archive_name(config)
    layout = _layout(config, machine, place)
    return BurstPlan(
        machine=machine,
        engine=layout.replicas[0],
        zones=burst.zones,
        max_run_seconds=burst.max_run_hours * 3_600,
        script=render(
            "burst-worker.sh.j2",
            project=config.service.gcp_project,
            secret_prefix=secret_prefix(config.service.name),
            engine_image=image("vllm").reference,
            tunnel_image=image("cloudflared").reference,
            archive_url=f"https://s3.{store.region}.backblazeb2.com/{bucket_name(config, BucketRole.MODELS)}/{archive}",
            store_region=store.region,
            model_folder=MODEL_FOLDER,
            arguments=" ".join(map(shlex.quote, _arguments(config, layout, place))),
            gpu_count=machine.gpu_count,
            shm_size_mib=SHM_SIZE_MIB,
            port=ports.VLLM,
            guest_namespace=GUEST_NAMESPACE,
            guest_key=GUEST_KEY,
            drain_item=DRAIN_ITEM,
            drain_seconds=DRAIN_SECONDS,
            phases=Report,
        ),
        route=TunnelRoute(
            name="llm-burst",
            hostname=f"llm-burst-private.{config.service.domain}",
            service=f"http://localhost:{ports.VLLM}",
            local_port=None,
        ),
    )


def archive_name(config: StageConfig) -> str:
    """Return the name of the archive in the models' bucket that holds the weights in the fleet's precision."""
    return f"{config.vllm.served_name}-{config.vllm.precision}.tar"


def secret_prefix(service_name: str) -> str:
    """Return how the names of the worker's secrets in Secret Manager begin."""
    return f"{service_name}-burst"


def _layout(config: StageConfig, machine: BurstMachine, place: str) -> GpuLayout:
    """Return the fleet's own model, precision and limits on the machine's cards."""
    vllm = config.vllm
    intent = EngineIntent(
        shape=model_shape(vllm.model, where=f"{place} › model"),
        precision=vllm.precision,
        kv_cache_dtype=vllm.kv_cache_dtype,
        gpu_memory_utilization=vllm.gpu_memory_utilization,
        max_model_len=vllm.max_model_len,
        max_tensor_parallel=vllm.max_tensor_parallel,
    )
    return plan_gpu_layout(intent, [ServerGpus(machine.name, machine.gpu, machine.gpu_count)], where=place)


def _arguments(config: StageConfig, layout: GpuLayout, place: str) -> tuple[str, ...]:
    """Return the engine's arguments."""
    vllm = config.vllm
    options = ServeOptions(
        served_model_name=vllm.served_name,
        max_num_queued_reqs=vllm.max_queued_requests,
        port=ports.VLLM,
        checkpoint=Checkpoint(MODEL_FOLDER, None, vllm.precision),
    )
    return tuple(vllm_arguments(layout.replicas[0], layout.intent, options, where=place))
