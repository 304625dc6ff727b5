"""The vLLM fleet: one container a replica with its GPUs, and routers in front of them.

A replica keeps its name and GPUs when its server gets another card. Routers run twice on each server, know every
engine, send a request to the least loaded one and let only the OpenAI paths through, because vLLM's key guards only
some of its paths. They reach spot workers by one private name, through Cloudflare and as Access asks: their own check
finds out whether one serves there, and the autoscaler's agent how many.
Sources: vLLM 0.33 documentation (docker, security), read 2026-11-22; HAProxy 3 configuration manual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dreamseed.catalog.gpus import gpu_model
from dreamseed.catalog.model_shapes import model_shape
from dreamseed.catalog.vllm_flags import DEFAULT_MAX_NUM_SEQS
from dreamseed.config import StageConfig
from dreamseed.config.compute import Accelerator
from dreamseed.planning import ports
from dreamseed.planning.container import (
    Container,
    File,
    Health,
    Mount,
    NetworkName,
    Port,
    ServicePlan,
    Volume,
    VolumeKind,
    secret,
)
from dreamseed.planning.gpu import (
    EngineIntent,
    GpuLayout,
    Replica,
    ServeOptions,
    ServerGpus,
    engine_requirements,
    plan_gpu_layout,
    vllm_arguments,
)
from dreamseed.planning.hosts import Host, on_each_server, servers
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.services.postgres_access import HAPROXY_UID, http_health, stats_port

if TYPE_CHECKING:
    from dreamseed.planning.burst import BurstPlan

COMPONENT = "vllm"
ROUTERS_PER_SERVER = 2
ROUTER_ALIAS = "llm"
MODELS_DISK_GIB = 80
"""Weights of 26 GB in fp16, the compile cache, and room for a second revision."""
MAX_BODY_BYTES = 1_048_576
BUFFER_KIB = 32
"""A request that fits can be tried on another engine; 4,096 tokens of text are about 20 KiB."""
CONNECTION_KIB = 2 * BUFFER_KIB + 20
"""What a proxied connection takes in a router: two buffers, and 20 KiB of its own.

Source: HAProxy 3 configuration manual, tune.bufsize; netdata.cloud, guide to HAProxy's buffers, read 2026-11-23.
"""
ROUTER_BASE_MIB = 64

# The secrets stand in files, so that neither `docker inspect` nor the process list shows them.
_SERVE = (
    'HF_TOKEN="$(cat /run/secrets/hugging-face-token)" VLLM_API_KEY="$(cat /run/secrets/vllm-api-key)"; '
    'export HF_TOKEN VLLM_API_KEY; exec vllm serve "$@"'
)


def plan_layout(config: StageConfig, where: str) -> GpuLayout:
    """Return the engines of the fleet; raises `PlanError` when the stage's intent cannot be served."""
    vllm = config.vllm
    intent = EngineIntent(
        shape=model_shape(vllm.model, where=f"{where} › vllm › model"),
        precision=vllm.precision,
        kv_cache_dtype=vllm.kv_cache_dtype,
        gpu_memory_utilization=vllm.gpu_memory_utilization,
        max_model_len=vllm.max_model_len,
        max_tensor_parallel=vllm.max_tensor_parallel,
    )
    gpus = [
        ServerGpus(
            name, gpu_model(server.gpus.model, where=f"{where} › servers › {name} › gpus › model"), server.gpus.count
        )
        for name, server in config.servers.items()
    ]
    return plan_gpu_layout(intent, gpus, where=f"{where} › vllm")


def plan_engines(config: StageConfig, layout: GpuLayout, where: str) -> ServicePlan:
    """Return the engines in order of replacement. Raises `PlanError` when one cannot serve what the stage asks for."""
    options = ServeOptions(
        served_model_name=config.vllm.served_name, max_num_queued_reqs=config.vllm.max_queued_requests, port=ports.VLLM
    )
    engines: list[Container] = []
    for replica in layout.replicas:
        previous = (engines[-1].name,) if engines else ()
        engines.append(_engine(config, layout, replica, options, previous, f"{where} › vllm"))
    volumes = tuple(
        Volume(name=f"{name}-models", host=name, kind=VolumeKind.CACHE, size_gib=MODELS_DISK_GIB)
        for name in dict.fromkeys(replica.server for replica in layout.replicas)
    )
    return ServicePlan(component=COMPONENT, containers=tuple(engines), volumes=volumes)


def with_routers(
    engines: ServicePlan, config: StageConfig, layout: GpuLayout, burst: BurstPlan | None, hosts: Sequence[Host]
) -> ServicePlan:
    """Return `engines` with the routers in front of them, which know the spot workers of `burst` too."""
    text = _router_file(config, layout, burst, hosts)
    routers = _routers(layout, hosts, text, router_connections(config))
    return replace(engines, containers=(*engines.containers, *routers))


def router_connections(config: StageConfig) -> int:
    """Return how many connections each router takes: all that the API can open, since the others may be away."""
    return config.api.max_instances * config.api.concurrency


def router_memory_mib(connections: int) -> int:
    """Return the memory of a router that holds `connections` at once, in steps of 64 MiB."""
    needed_mib = ROUTER_BASE_MIB + connections * CONNECTION_KIB / 1_024
    return math.ceil(needed_mib / 64) * 64


def engine_name(replica: Replica) -> str:
    """Return the name of a replica's container."""
    return f"{replica.server}-vllm-{replica.index_on_server}"


def _engine(
    config: StageConfig,
    layout: GpuLayout,
    replica: Replica,
    options: ServeOptions,
    previous: tuple[str, ...],
    where: str,
) -> Container:
    needs = engine_requirements(replica, options)
    check = needs.health_check
    real = config.vllm.accelerator is Accelerator.NVIDIA
    return Container(
        name=engine_name(replica),
        component=COMPONENT,
        service="vllm",
        host=replica.server,
        image="vllm",
        networks=(NetworkName.INFERENCE,),
        memory_mib=needs.host_ram_gib * 1_024,
        cpu_cores=2.0,
        shm_size_mib=needs.shm_size_mib,
        gpu_indices=replica.gpu_indices if real else (),
        ulimits={limit.name: limit.value for limit in needs.ulimits} if real else {},
        environment=dict(needs.environment),
        entrypoint=("/bin/sh", "-c", _SERVE, "vllm-serve"),
        command=vllm_arguments(replica, layout.intent, options, where=where),
        files=(
            File(path="/run/secrets/hugging-face-token", text=secret(ProvidedSecret.HUGGING_FACE_TOKEN), mode="0400"),
            File(path="/run/secrets/vllm-api-key", text=secret(GeneratedSecret.VLLM_API_KEY), mode="0400"),
        ),
        mounts=(Mount(volume=f"{replica.server}-models", path="/root/.cache"),),
        ports=(
            Port(container=ports.VLLM, published=ports.vllm(replica.index_on_server), purpose="vLLM, for the routers"),
        ),
        health=Health(
            test=("CMD", "curl", "-fsS", "-m", str(check.timeout_seconds), f"http://127.0.0.1:{ports.VLLM}/health"),
            interval_seconds=check.interval_seconds,
            timeout_seconds=check.timeout_seconds,
            retries=check.retries,
            start_period_seconds=check.start_period_seconds,
        ),
        stop_grace_seconds=needs.stop_timeout_seconds,
        after=previous,
    )


def _weight(kv_tokens: int) -> int:
    # A replica of two cards holds more than one of one: weigh by what fits into its KV cache.
    return max(1, min(256, kv_tokens // 1_000))


def _router_file(config: StageConfig, layout: GpuLayout, burst: BurstPlan | None, hosts: Sequence[Host]) -> str:
    addresses = {host.name: host.address for host in hosts}
    most = config.vllm.burst.max_workers
    workers = burst and {
        "hostname": burst.route.hostname,
        "port": ports.ROUTER_WORKERS,
        # Of all workers that may be there: the agent lowers it to those that serve.
        "weight": _weight(most * burst.engine.kv_tokens),
        "max_connections": most * DEFAULT_MAX_NUM_SEQS,
        "agent_address": servers(hosts)[0].address,
        "agent_port": ports.AUTOSCALER_AGENT,
        "client_id": secret(ProvidedSecret.TUNNEL_CLIENT_ID),
        "client_secret": secret(ProvidedSecret.TUNNEL_CLIENT_SECRET),
    }
    return render(
        "router.cfg.j2",
        port=ports.ROUTER,
        stats_port=ports.HAPROXY_STATS,
        max_connections=router_connections(config),
        max_body_bytes=MAX_BODY_BYTES,
        buffer_bytes=BUFFER_KIB * 1_024,
        engines=[
            {
                "name": engine_name(replica),
                "address": addresses[replica.server],
                "port": ports.vllm(replica.index_on_server),
                "weight": _weight(replica.kv_tokens),
                "max_connections": DEFAULT_MAX_NUM_SEQS,
            }
            for replica in layout.replicas
        ],
        workers=workers,
    )


def _routers(layout: GpuLayout, hosts: Sequence[Host], text: str, connections: int) -> list[Container]:
    # With workers it holds the token that Access asks for.
    config_file = File(path="/usr/local/etc/haproxy/haproxy.cfg", text=text, owner=HAPROXY_UID)
    if config_file.secrets:
        config_file = replace(config_file, mode="0400")
    routers: list[Container] = []
    for number, host in enumerate(on_each_server(hosts, ROUTERS_PER_SERVER), start=1):
        routers.append(
            Container(
                name=f"vllm-router-{number}",
                component=COMPONENT,
                service="vllm-router",
                host=host.name,
                image="haproxy",
                networks=(NetworkName.INFERENCE,),
                aliases=(ROUTER_ALIAS,),
                inner_ports=(ports.ROUTER,),
                memory_mib=router_memory_mib(connections),
                cpu_cores=0.2,
                user=str(HAPROXY_UID),
                files=(config_file,),
                ports=(stats_port(ports.router_stats(number)),),
                health=http_health(ports.HAPROXY_STATS, "/healthz"),
                stop_grace_seconds=60,
                # A new router takes every engine for healthy at first: all of them are there before it starts.
                after=(routers[-1].name,) if routers else (engine_name(layout.replicas[-1]),),
            )
        )
    return routers
