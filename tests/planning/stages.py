"""The shipped stages, as they are and changed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, merge, parse_stage, stage_file
from dreamseed.planning.container import Container, File
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.stage_plan import StagePlan
from tests.config.corpus_files import overlay

ROOT = Path(__file__).resolve().parents[2]
WITNESS: Mapping[str, Any] = overlay("stage-e")[1]["network"]["witness"]


def server(number: int, gpus: int = 2) -> dict[str, Any]:
    """A server like the shipped ones, with room to spare."""
    return {
        "docker_host": f"ssh://dreamseed@server-{number}.dreamseed.example",
        "private_address": f"10.20.0.{10 + number}",
        "gpus": {"model": "rtx-5090", "count": gpus, "memory_gib": 32},
        "cpu_cores": 32,
        "memory_gib": 256,
        "disk_gib": 1000,
    }


def configured(base: str, change: Mapping[str, Any] | None = None) -> StageConfig:
    """The shipped stage `base` with `change` laid over it."""
    shared, shipped = overlay(base)
    return parse_stage(shared, merge(shipped, change or {}), base)


def planned(base: str, change: Mapping[str, Any] | None = None) -> StagePlan:
    """The plan of the shipped stage `base` with `change` laid over it."""
    return plan_stage(configured(base, change), base)


@functools.cache
def shipped(name: str) -> StagePlan:
    """The plan of the file as it is shipped."""
    return plan_stage(load_stage(stage_file(ROOT, name)), name)


def container(plan: StagePlan, name: str) -> Container:
    """The container of that name."""
    return next(one for one in plan.containers if one.name == name)


def configured_container(plan: StagePlan, name: str) -> Container:
    """The container of that name, without what it only hears of while it runs."""
    return replace(container(plan, name), hears=())


def file(of: Container, path: str) -> File:
    """The file of the container at that path."""
    return next(one for one in of.files if one.path == path)


__all__ = [
    "ROOT",
    "STAGE_NAMES",
    "WITNESS",
    "configured",
    "configured_container",
    "container",
    "file",
    "planned",
    "server",
    "shipped",
]
