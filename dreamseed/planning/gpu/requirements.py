"""What a vLLM replica's container needs beside its arguments.

Source: vLLM 0.33.0 documentation and issues 14628, 21491 (shared memory, NCCL on GeForce), 2026-11-22. Host
memory and start times are estimates: 2.55 GB were measured for a tiny model on CPU, and a 30B model needed
more than 300 s to start.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.planning.gpu.arguments import ServeOptions
from dreamseed.planning.gpu.layout import Replica

SHARED_MEMORY_MIB = 8192
PROCESS_RAM_GIB = 8
STOP_MARGIN_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Ulimit:
    """A resource limit of the container, soft and hard alike; -1 is unlimited."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """GET `path` answers 200 while the engine lives; never a TCP port, which outlives a dead engine."""

    path: str
    start_period_seconds: int
    interval_seconds: int
    timeout_seconds: int
    retries: int


@dataclass(frozen=True, slots=True)
class EngineRequirements:
    """A replica's container: memory, environment, limits, health check and time to stop.

    `shm_size_mib` is None where Docker's default of 64 MiB is enough. `host_ram_gib` includes the shared
    memory but not the page cache. `environment` holds no secret; `secret_environment` names those that do.
    """

    shm_size_mib: int | None
    host_ram_gib: int
    environment: tuple[tuple[str, str], ...]
    secret_environment: tuple[str, ...]
    ulimits: tuple[Ulimit, ...]
    health_check: HealthCheck
    stop_timeout_seconds: int


def engine_requirements(replica: Replica, options: ServeOptions) -> EngineRequirements:
    """The requirements of one replica; engines over several GPUs talk to themselves through shared memory."""
    shared = replica.tensor_parallel > 1
    environment = {"VLLM_NO_USAGE_STATS": "1", "VLLM_MAX_N_SEQUENCES": "4"}
    if shared and not replica.gpu.peer_to_peer:
        environment["NCCL_P2P_DISABLE"] = "1"
    return EngineRequirements(
        shm_size_mib=SHARED_MEMORY_MIB if shared else None,
        host_ram_gib=PROCESS_RAM_GIB + (SHARED_MEMORY_MIB // 1024 if shared else 0),
        environment=tuple(environment.items()),
        secret_environment=("HF_TOKEN", "VLLM_API_KEY"),
        ulimits=(Ulimit("memlock", -1), Ulimit("stack", 67_108_864), Ulimit("nofile", 65_536)),
        health_check=HealthCheck(
            path="/health", start_period_seconds=900, interval_seconds=15, timeout_seconds=10, retries=4
        ),
        stop_timeout_seconds=options.shutdown_timeout_seconds + STOP_MARGIN_SECONDS,
    )
