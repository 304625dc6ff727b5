"""Stage files as hypothesis draws them: a shipped stage with sections of its own, mostly such as somebody would write.

Each section takes its numbers from choices that can work together, so that a good part of all files is planned; an
oddity, a value from a bound or beyond a rule, is laid over some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Any

from hypothesis import strategies as st

from dreamseed.config import STAGE_NAMES, StageConfig, merge, parse_stage
from tests.config.corpus_files import overlay

Values = dict[str, Any]


def _server(number: int, gpus: int, cpu_cores: int, memory_gib: int, disk_gib: int) -> Values:
    return {
        "docker_host": f"ssh://dreamseed@server-{number}.dreamseed.example",
        "private_address": f"10.20.0.{10 + number}",
        "gpus": {"model": "rtx-5090", "count": gpus, "memory_gib": 32},
        "cpu_cores": cpu_cores,
        "memory_gib": memory_gib,
        "disk_gib": disk_gib,
    }


MANY_NODES: Values = {"replicas_per_master": 0, "placement": None, "maxmemory_mib": 16}
ODDITIES: tuple[Values, ...] = (
    {"servers": {"server-1": {"memory_gib": 4}}},
    {"servers": {"witness": _server(9, gpus=1, cpu_cores=16, memory_gib=128, disk_gib=1_000)}},
    {"servers": {"server-1": {"disk_gib": 80}}},
    {"servers": {"server-1": {"disk_gib": 50}}},
    {"servers": {"server-1": {"cpu_cores": 2}}},
    {"servers": {"server-1": {"private_address": "10.21.0.11"}}},
    {"vllm": {"max_tensor_parallel": 3}},
    {"vllm": {"precision": "fp16", "max_tensor_parallel": 1}},
    {"vllm": {"precision": "fp16", "max_tensor_parallel": 2}},
    {"vllm": {"precision": "awq"}},
    {"vllm": {"max_queued_requests": 4}},
    {"vllm": {"burst": {"machine_type": "n1-standard-8", "max_workers": 1}}},
    {"postgres": {"instances": 9, "placement": None, "disk_gib": 20}},
    {"postgres": {"shards": 10, "memory_mib": 1_024, "disk_gib": 4, "instances": 1, "placement": None}},
    {"postgres": {"synchronous_standbys": 8}},
    {"postgres": {"memory_mib": 16}},
    {"postgres": {"max_connections": 60}},
    {"postgres": {"pgbouncer": {"max_client_connections": 20}}},
    {"redis": {"masters": 2}},
    {"servers": {"server-1": {"cpu_cores": 64}}, "redis": MANY_NODES | {"masters": 32}},
    {"servers": {"server-1": {"cpu_cores": 64}}, "redis": MANY_NODES | {"masters": 13, "replicas_per_master": 3}},
    {"kafka": {"replication_factor": 1, "min_insync_replicas": 1}},
    {"kafka": {"replication_factor": 1, "min_insync_replicas": 2}},
    {"kafka": {"replication_factor": 3, "min_insync_replicas": 3}},
    {"kafka": {"heap_mib": 4_000}},
    {"api": {"max_instances": 1_000, "database_pool_size": 20}},
    {"api": {"min_instances": 50}},
    {"edge": {"plan": "free", "rate_limit_period_seconds": 60}},
    {"object_store": {"backup_lock_days": 400}},
    {"backup": {"archive_timeout_seconds": 3_600, "wal_archive": True}},
    {"backup": {"wal_retention_days": 60}},
    {"backup": {"second_site": True}, "object_store": {"second_region": None}},
    {"disaster_recovery": {"rpo_minutes": 1}},
    {"disaster_recovery": {"refresh_hours": 7, "kind": "landing"}},
    {"network": {"container_range": "10.20.0.0/16"}},
    {"network": {"container_range": "172.30.0.0/22"}},
    {"monitoring": {"retention_days": 7}},
    {"network": {"cloud_range": "10.40.0.0/22"}},
    {"network": {"cloud_range": "10.40.0.0/22"}, "disaster_recovery": {"active": True}},
    {"disaster_recovery": {"kind": "none", "active": True}},
)
"""Values that no shipped stage has: at a bound, beyond one, or against another section."""


@dataclass(frozen=True)
class StageFile:
    """One drawn stage file: the shipped stage that it was made from, and what it says."""

    base: str
    stage: Mapping[str, Any]

    def parse(self) -> StageConfig:
        """Read the stage over what all stages share; raises `ConfigErrors`."""
        return parse_stage(overlay(self.base)[0], self.stage, self.base)


def with_values(base: str, **sections: Values | None) -> StageFile:
    """The shipped stage `base` with values of some sections changed."""
    return StageFile(base, merge(overlay(base)[1], sections))


@st.composite
def stage_files(draw: st.DrawFn) -> StageFile:
    """Stage files of one to three servers, mostly plausible."""
    base = draw(st.sampled_from(STAGE_NAMES))
    servers = draw(_servers())
    network = draw(_network())
    promises = len(servers) > 2 or (len(servers) == 2 and network["witness"] is not None)
    wal_archive = draw(st.sampled_from((True, True, True, False)))
    stage = merge(
        overlay(base)[1],
        {
            "vllm": draw(_vllm()),
            "api": draw(_api()),
            "edge": draw(_edge()),
            "backup": draw(_backup()) | {"wal_archive": wal_archive},
            "object_store": {"second_region": "eu-central-003", "backup_lock_days": draw(st.integers(1, 7))},
            "disaster_recovery": draw(_recovery(wal_archive)),
        },
    )
    # As a whole: a placement below would be merged server by server.
    stage |= {"servers": servers, "network": network}
    stage["postgres"] = draw(_postgres(tuple(servers)))
    stage["redis"] = draw(_redis(tuple(servers), promises))
    stage["kafka"] = draw(_kafka(tuple(servers), promises))
    if draw(st.sampled_from((False, False, False, True))):
        stage = merge(stage, draw(st.sampled_from(ODDITIES)))
    return StageFile(base, stage)


@st.composite
def _servers(draw: st.DrawFn) -> Values:
    count = draw(st.sampled_from((1, 2, 2, 3)))
    return {
        f"server-{number}": _server(
            number,
            gpus=draw(st.integers(1, 5)),
            cpu_cores=draw(st.sampled_from((16, 32, 64, 64))),
            memory_gib=draw(st.sampled_from((128, 256, 256, 512))),
            disk_gib=draw(st.sampled_from((1_000, 2_000, 4_000, 4_000))),
        )
        for number in range(1, count + 1)
    }


@st.composite
def _network(draw: st.DrawFn) -> Values:
    shipped = overlay("stage-e")[1]["network"]
    witness = shipped["witness"] | {
        "cpu_cores": draw(st.sampled_from((2, 4, 4))),
        "memory_gib": draw(st.sampled_from((4, 8))),
        "disk_gib": draw(st.sampled_from((20, 40))),
    }
    return {
        "container_range": draw(st.sampled_from(("172.30.0.0/16", "172.16.0.0/18", "10.64.0.0/20"))),
        "vpn": draw(st.sampled_from((None, shipped["vpn"]))),
        "witness": draw(st.sampled_from((None, witness, witness))),
    }


@st.composite
def _placement(draw: st.DrawFn, servers: tuple[str, ...], count: int) -> Mapping[str, int] | None:
    """Null, or any way of standing `count` instances on the servers."""
    if draw(st.sampled_from((True, True, False))):
        return None
    ends = sorted(draw(st.lists(st.integers(0, count), min_size=len(servers) - 1, max_size=len(servers) - 1)))
    return {name: end - start for name, start, end in zip(servers, (0, *ends), (*ends, count), strict=True)}


@st.composite
def _postgres(draw: st.DrawFn, servers: tuple[str, ...]) -> Values:
    instances = draw(st.integers(1, 5))
    return {
        "instances": instances,
        "placement": draw(_placement(servers, instances)),
        "synchronous_standbys": draw(st.integers(0, min(instances - 1, 3))),
        "shards": draw(st.sampled_from((1, 1, 1, 2, 3))),
        "memory_mib": draw(st.sampled_from((2_048, 4_096, 8_192))),
        "disk_gib": draw(st.sampled_from((20, 50, 150))),
        "max_connections": draw(st.sampled_from((300, 500, 800))),
        "pgbouncer": {
            "pool_size": draw(st.sampled_from((10, 30, 60))),
            "max_client_connections": draw(st.sampled_from((200, 500, 1_000))),
        },
    }


@st.composite
def _redis(draw: st.DrawFn, servers: tuple[str, ...], promises: bool) -> Values:
    shapes = ((0, 0), (1, 0), *product((3, 4, 5, 6), (0, 1, 2)), (3, 1), (3, 1), *(() if promises else ((1, 1),)))
    masters, replicas = draw(st.sampled_from(shapes))
    kept = promises and replicas > 0 and draw(st.sampled_from((True, True, False)))
    return {
        "masters": masters,
        "replicas_per_master": replicas,
        "placement": None if kept else draw(_placement(servers, masters * (1 + replicas))),
        "maxmemory_mib": draw(st.sampled_from((64, 512, 2_048, 8_192))),
    }


@st.composite
def _kafka(draw: st.DrawFn, servers: tuple[str, ...], promises: bool) -> Values:
    brokers = draw(st.sampled_from((0, 4, 5, 5, 6) if promises else (0, 1, 2, 3, 3, 5)))
    pairs = [(copies, least) for copies, least in product(range(1, 6), range(1, 5)) if least < copies <= brokers]
    kept = [(copies, least) for copies, least in pairs if copies - ceil(copies / len(servers)) >= least]
    replication, min_insync = draw(st.sampled_from((kept if promises and kept else pairs) or [(1, 1)]))
    memory_mib = draw(st.sampled_from((2_048, 4_096)))
    return {
        "brokers": brokers,
        "placement": draw(_placement(servers, brokers)),
        "replication_factor": replication,
        "min_insync_replicas": min_insync,
        "memory_mib": memory_mib,
        "heap_mib": draw(st.sampled_from((512, memory_mib // 2))),
        "disk_gib": draw(st.sampled_from((10, 40))),
    }


def _vllm() -> st.SearchStrategy[Values]:
    burst = {"max_workers": st.integers(0, 2), "machine_type": st.sampled_from(("g2-standard-8", "g2-standard-24"))}
    return st.fixed_dictionaries(
        {
            "max_tensor_parallel": st.sampled_from((1, 2, 2, 4)),
            "accelerator": st.sampled_from(("nvidia", "nvidia", "simulated")),
            "burst": st.fixed_dictionaries(burst),
        }
    )


def _api() -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(
        {
            "min_instances": st.integers(0, 8),
            "max_instances": st.integers(8, 40),
            "concurrency": st.sampled_from((10, 80, 200)),
            "database_pool_size": st.integers(1, 10),
        }
    )


def _edge() -> st.SearchStrategy[Values]:
    plans = [("free", 10), *product(("pro", "business"), (10, 30, 60))]
    return st.builds(
        lambda plan, connectors, requests: {
            "plan": plan[0],
            "rate_limit_period_seconds": plan[1],
            "rate_limit_requests": requests,
            "tunnel_connectors": connectors,
        },
        st.sampled_from(plans),
        st.integers(1, 4),
        st.integers(1, 1_000),
    )


@st.composite
def _backup(draw: st.DrawFn) -> Values:
    full_every_days, retention_days = draw(st.integers(1, 7)), draw(st.integers(7, 30))
    return {
        "full_every_days": full_every_days,
        "wal_retention_days": retention_days,
        "keep_full": ceil(retention_days / full_every_days) + 1 + draw(st.integers(0, 2)),
        "incremental_every_hours": draw(st.sampled_from((None, 1, 6, 23))),
        "archive_timeout_seconds": draw(st.sampled_from((60, 300, 600))),
        "second_site": draw(st.booleans()),
    }


@st.composite
def _recovery(draw: st.DrawFn, wal_archive: bool) -> Values:
    kind = draw(st.sampled_from(("none", "landing", "standby"))) if wal_archive else "none"
    return {
        "kind": kind,
        "active": kind != "none" and draw(st.booleans()),
        "rpo_minutes": draw(st.sampled_from((15, 15, 60))),
        "refresh_hours": draw(st.sampled_from((1, 6, 24, 48))),
    }
