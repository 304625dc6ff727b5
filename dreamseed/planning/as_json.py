"""A plan for machines: the same facts that people are shown, in a stable order of keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from dreamseed.planning.departures import departures
from dreamseed.planning.gpu import Replica
from dreamseed.planning.invariants import check_invariants
from dreamseed.planning.promotion import Promotion
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import survivability


def plan_as_json(plan: StagePlan) -> dict[str, Any]:
    """Return `plan` as JSON values: what runs where, what it holds, what it promises and survives."""
    return {
        "stage": plan.name,
        "hosts": [_host(plan, host.name) for host in plan.hosts],
        "gpu_layout": {
            "replicas": [_replica(replica) for replica in plan.layout.replicas],
            "kv_tokens": plan.layout.kv_tokens,
            "capacities": plain(plan.layout.capacities),
            "alternatives": plain(plan.layout.alternatives),
        },
        "containers": [_container(container) for container in plan.containers],
        "volumes": plain(tuple(plan.volumes)),
        "tunnel_routes": plain(plan.routes),
        "buckets": plain(plan.buckets),
        "edge": plain(plan.edge),
        "api": plain(plan.api),
        "cloud_network": plain(plan.cloud_network),
        "invariants": plain(check_invariants(plan)),
        "survivability": plain(survivability(plan)),
        "departures": plain(departures(plan)),
    }


def promotion_as_json(promotion: Promotion) -> dict[str, Any]:
    """Return what a promotion does to the servers' tier as JSON values."""
    values: dict[str, Any] = plain(promotion)
    return values


def plain(value: Any) -> Any:
    """Return `value` made of mappings, lists, texts and numbers only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(item) for item in (sorted(value) if isinstance(value, frozenset | set) else value)]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, IPv4Address | IPv4Interface | IPv4Network):
        return str(value)
    return value


def _host(plan: StagePlan, name: str) -> dict[str, Any]:
    load = next(load for load in plan.loads if load.host.name == name)
    host: dict[str, Any] = plain(load.host)
    taken = {key: getattr(load, key) for key in ("containers", "memory_mib", "cpu_cores", "disk_gib")}
    return {**host, "taken": taken}


def _replica(replica: Replica) -> dict[str, Any]:
    return {
        "server": replica.server,
        "index_on_server": replica.index_on_server,
        "gpu": replica.gpu.name,
        "gpu_indices": list(replica.gpu_indices),
        "tensor_parallel": replica.tensor_parallel,
        "kv_tokens": replica.kv_tokens,
        "memory": replica.memory.arithmetic,
        "capacities": plain(replica.capacities),
    }


def _container(container: Any) -> dict[str, Any]:
    values: dict[str, Any] = plain(container)
    # Files are named, not repeated: their texts are long, and those with secrets are nobody's output.
    values["files"] = [file["path"] for file in values["files"]]
    return values
