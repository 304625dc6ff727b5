"""`python -m bench`: print each measure with its target; exit status 1 when a target is missed."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.estimates import SECONDS_AT_MOST as ESTIMATE_SECONDS_AT_MOST
from bench.estimates import estimate_seconds
from bench.previews import CONTAINER, bare_project, bare_stack, engine_for, preview, seconds
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.planning.planner import plan_stage_file
from rehearsal.runner import Project
from rehearsal.toolchain import Toolchain, ensure_engine

STAGE = "stage-e"
PREVIEWS = 3
RATIO_AT_MOST = 1.5
PLANS = 5
PLAN_MS_AT_MOST = 100.0
GROWTH = (1, 4, 16)


def main() -> int:
    """Measure everything; return the exit status."""
    console = Console()
    table = Table(title=f"medians of {PREVIEWS} previews and {PLANS} plans", title_justify="left")
    for column in ("measure", "found", "target"):
        table.add_column(column)
    with tempfile.TemporaryDirectory(prefix="dreamseed-bench-", ignore_cleanup_errors=True) as folder:
        project, toolchain = rehearsed_project(), ensure_engine()
        plan_ms = _plan_milliseconds(project.directory / f"Pulumi.{STAGE}.yaml")
        estimate_s = estimate_seconds(project.directory)
        ratio = _previews(project, toolchain, Path(folder), table.add_row)
    table.add_row(f"reading and planning {STAGE}", f"{plan_ms:.0f} ms", f"≤ {PLAN_MS_AT_MOST:.0f} ms")
    table.add_row("reading, planning and pricing all stages", f"{estimate_s:.2f} s", f"≤ {ESTIMATE_SECONDS_AT_MOST} s")
    console.print(table)
    met = ratio <= RATIO_AT_MOST and plan_ms <= PLAN_MS_AT_MOST and estimate_s <= ESTIMATE_SECONDS_AT_MOST
    console.print("PASS: every target is met" if met else "FAIL: a target is missed", style="bold")
    return 0 if met else 1


def _previews(project: Project, toolchain: Toolchain, folder: Path, row: Callable[[str, str, str], None]) -> float:
    """Measure the stage against bare resources, then the growth with containers; return the ratio."""
    with engine_for(project, toolchain, folder / "stage") as staged:
        resources = preview(staged, STAGE).events.resources()
        containers = sum(resource.type == CONTAINER for resource in resources)
        sizes = tuple(factor * containers for factor in GROWTH)
        bare = bare_project(folder / "bare-program", tuple({len(resources), *sizes}))
        with engine_for(bare, toolchain, folder / "bare") as bared:
            floor = seconds(bared, bare_stack(len(resources)), PREVIEWS)
            whole = seconds(staged, STAGE, PREVIEWS)
            uncollected = seconds(bared, bare_stack(len(resources), collect=False), PREVIEWS)
            growth = [seconds(bared, bare_stack(size), PREVIEWS) for size in sizes]
    row(f"preview of {STAGE}, {len(resources)} resources", f"{whole:.2f} s", "")
    row(f"preview of {len(resources)} bare resources", f"{floor:.2f} s", "")
    row("ratio", f"{whole / floor:.2f}", f"≤ {RATIO_AT_MOST}")
    row("the same against bare resources without garbage collection", f"{whole / uncollected:.2f}", "")
    for factor, size, taken in zip(GROWTH, sizes, growth, strict=True):
        row(f"preview of {factor} × {STAGE}'s containers: {size} bare", f"{taken:.2f} s", "")
    return whole / floor


def _plan_milliseconds(path: Path) -> float:
    """Return the median milliseconds of reading a stage file and planning it, modules loaded."""

    def once() -> float:
        began = time.perf_counter()
        plan_stage_file(path)
        return 1000 * (time.perf_counter() - began)

    return median(once() for _ in range(PLANS))


if __name__ == "__main__":
    sys.exit(main())
