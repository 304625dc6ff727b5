"""`python -m bench`: print each measure with its target; exit status 1 when a target is missed."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.estimates import SECONDS_AT_MOST as ESTIMATE_SECONDS_AT_MOST
from bench.estimates import estimate_seconds
from bench.previews import CONTAINER, bare_project, bare_stack, engine_alone, engine_for, preview, seconds, together
from bench.start import PROGRAM, STARTS, WHOLE_SDKS, start_seconds
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.planning.planner import plan_stage_file
from rehearsal.runner import Project
from rehearsal.toolchain import Toolchain, ensure_engine

STAGE = "stage-e"
PREVIEWS = 3
RATIO_AT_MOST = 1.25
GROWTH_AT_MOST = 1.5
TOGETHER_AT_MOST = 2.0
START_AT_MOST = 0.5
PLANS = 5
PLAN_MS_AT_MOST = 100.0
GROWTH = 16


@dataclass
class Findings:
    """The table of what was found, and whether every target was met."""

    table: Table
    met: bool = True

    def tell(self, measure: str, found: str) -> None:
        """Add a measure without a target."""
        self.table.add_row(measure, found, "")

    def hold(self, measure: str, found: float, at_most: float, form: str = "{:.2f}") -> None:
        """Add a measure with its target."""
        self.met &= found <= at_most
        self.table.add_row(measure, form.format(found), "≤ " + form.format(at_most))


def main() -> int:
    """Measure everything; return the exit status."""
    console = Console()
    table = Table(title=f"medians: {PREVIEWS} previews by turns, {PLANS} plans, {STARTS} starts", title_justify="left")
    for column in ("measure", "found", "target"):
        table.add_column(column)
    found = Findings(table)
    with tempfile.TemporaryDirectory(prefix="dreamseed-bench-", ignore_cleanup_errors=True) as folder:
        project, toolchain = rehearsed_project(), ensure_engine()
        _start(project, found)
        _previews(project, toolchain, Path(folder), found)
        plan_ms = _plan_milliseconds(project.directory / f"Pulumi.{STAGE}.yaml")
        estimate_s = estimate_seconds(project.directory)
    found.hold(f"reading and planning {STAGE}", plan_ms, PLAN_MS_AT_MOST, "{:.0f} ms")
    found.hold("reading, planning and pricing all stages", estimate_s, ESTIMATE_SECONDS_AT_MOST, "{:.2f} s")
    console.print(table)
    console.print("PASS: every target is met" if found.met else "FAIL: a target is missed", style="bold")
    return 0 if found.met else 1


def _start(project: Project, found: Findings) -> None:
    """Measure the program's start, against the same with both big SDKs imported whole."""
    whole, light = (start_seconds(project.directory, STAGE, code) for code in (WHOLE_SDKS, PROGRAM))
    found.tell("start of the program, whole SDKs (processor time)", f"{whole:.2f} s")
    found.tell("start of the program (processor time)", f"{light:.2f} s")
    found.hold("ratio", light / whole, START_AT_MOST)


def _previews(project: Project, toolchain: Toolchain, folder: Path, found: Findings) -> None:
    """Measure the stage against bare resources, growth against the engine's own, all stages against the slowest."""
    with engine_for(project, toolchain, folder / "stage") as staged:
        resources = preview(staged, STAGE).events.resources()
        containers = sum(resource.type == CONTAINER for resource in resources)
        sizes = (len(resources), containers, GROWTH * containers)
        bare = bare_project(folder / "bare-program", tuple(set(sizes)))
        many, few, grown = (bare_stack(size, collect=False) for size in sizes)
        with (
            engine_for(bare, toolchain, folder / "bare") as bared,
            engine_alone(bare, toolchain, folder / "alone") as alone,
        ):
            whole, floor, collected = seconds(PREVIEWS, (staged, STAGE), (alone, many), (alone, bare_stack(sizes[0])))
            one, more, one_alone, more_alone = seconds(
                PREVIEWS, (bared, few), (bared, grown), (alone, few), (alone, grown)
            )
        slowest = max(seconds(PREVIEWS, *((staged, stack) for stack in project.stacks)))
        all_at_once = median(together(staged, project.stacks) for _ in range(PREVIEWS))
    found.tell(f"preview of {STAGE}, {len(resources)} resources", f"{whole:.2f} s")
    found.tell(f"preview of {len(resources)} bare resources by the engine alone", f"{collected:.2f} s")
    found.hold("ratio", whole / collected, RATIO_AT_MOST)
    found.tell("ratio to the bare program without garbage collection", f"{whole / floor:.2f}")
    found.tell(f"preview of {containers} bare containers, {GROWTH} times as many", f"{one:.2f} s, {more:.2f} s")
    found.tell("the same by the engine alone", f"{one_alone:.2f} s, {more_alone:.2f} s")
    found.hold("growth against the engine's own", (more / one) / (more_alone / one_alone), GROWTH_AT_MOST)
    found.tell("previews of the five stages at once", f"{all_at_once:.2f} s")
    found.hold("against the slowest stage alone", all_at_once / slowest, TOGETHER_AT_MOST)


def _plan_milliseconds(path: Path) -> float:
    """Return the median milliseconds of reading a stage file and planning it, modules loaded."""

    def once() -> float:
        began = time.perf_counter()
        plan_stage_file(path)
        return 1000 * (time.perf_counter() - began)

    return median(once() for _ in range(PLANS))


if __name__ == "__main__":
    sys.exit(main())
