"""What can be performed within a drill's namespaces, by name; each part returns what it found as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from localtier.drills.drill import Settings, Tell, run_drill
from localtier.drills.failover import run_failover
from localtier.drills.faults import scene, try_all
from localtier.drills.faults_server import SERVER_FAULTS
from localtier.drills.faults_store import STORE_FAULTS
from localtier.drills.load import run_load
from localtier.drills.points import run_points
from localtier.drills.retention import compare_retention
from localtier.drills.sandbox import Sandbox

Part = Callable[[Sandbox, dict[str, Any], Tell], dict[str, Any]]


def _loss(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    return asdict(run_drill(sandbox, Settings(**settings), tell))


def _points(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    points = run_points(sandbox, Settings(**settings), tell)
    return {"points": [{**asdict(point), "passed": point.passed} for point in points]}


def _faults(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    only = settings.pop("only", "")
    faults = [(name, fault) for name, fault in (*STORE_FAULTS, *SERVER_FAULTS) if only in name]
    return {"faults": [asdict(tried) for tried in try_all(scene(sandbox, Settings(**settings), tell), faults, tell)]}


def _failover(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    etcd, planned = Path(settings.pop("etcd")), bool(settings.pop("planned"))
    return {"ways": [asdict(way) for way in run_failover(sandbox, Settings(**settings), etcd, planned, tell)]}


def _load(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    loads = run_load(sandbox, Settings(**settings), tell)
    return {"loads": [{**asdict(load), "passed": load.passed} for load in loads]}


def _retention(sandbox: Sandbox, settings: dict[str, Any], tell: Tell) -> dict[str, Any]:
    return asdict(compare_retention(sandbox, Settings(**settings), tell))


PARTS: Mapping[str, Part] = MappingProxyType(
    {"loss": _loss, "points": _points, "faults": _faults, "failover": _failover, "load": _load, "retention": _retention}
)
