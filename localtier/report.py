"""What the running tier takes of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from rich.console import Console
from rich.table import Table

MIB = 1 << 20
MIB_PER_GIB = 1024


def memory_mib(engine: docker.DockerClient) -> dict[str, float]:
    """Return what each running container of an engine uses now, in MiB, without the page cache it could give back."""
    containers = engine.containers.list()
    with ThreadPoolExecutor(8) as pool:
        used = pool.map(lambda container: _used(container.stats(stream=False, one_shot=True)), containers)
        return {str(container.name): mib for container, mib in zip(containers, used, strict=True)}


def _used(stats: Any) -> float:
    """Return memory as `docker stats` counts it. Source: docker/cli, stats_helpers.go, calculateMemUsageUnixNoCache."""
    memory = stats["memory_stats"]
    details = memory.get("stats", {})
    inactive = details.get("total_inactive_file", details.get("inactive_file", 0))
    usage = memory.get("usage", 0)
    return float(usage - inactive if inactive < usage else usage) / MIB


def show_memory(engines: Mapping[str, docker.DockerClient], console: Console) -> None:
    """Print for each host how many containers run and what memory they use."""
    table = Table("host", "running", "MiB used", "most")
    total = 0.0
    for host, engine in engines.items():
        used = memory_mib(engine)
        total += sum(used.values())
        most = sorted(used.items(), key=lambda item: -item[1])[:3]
        named = ", ".join(f"{name} {mib:,.0f}" for name, mib in most)
        table.add_row(host, str(len(used)), f"{sum(used.values()):,.0f}", named)
    console.print(table)
    console.print(f"together {total / MIB_PER_GIB:,.1f} GiB", highlight=False)
