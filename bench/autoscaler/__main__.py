"""`python -m bench.autoscaler`: decisions a second, a million steps under faults, and every trace at every stage.

`--part replay --trace images --stage stage-c --json FILE` is one cell of the table alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from autoscaler.policy import Policy
from bench.autoscaler.decisions import PER_SECOND_AT_LEAST, decisions_per_second
from bench.autoscaler.walks import STEPS, WALKS, walked
from dreamseed.config import find_project, stage_file
from dreamseed.planning.autoscaling import plan_policy
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from simulator.fleet.replay import SCALERS, replay, setting
from simulator.fleet.report import data, goal, markdown, table
from simulator.fleet.traces import SOURCES, trace

STAGES = ("stage-c", "stage-d", "stage-e")
PARTS = ("decisions", "walk", "replay")
REAL_TIME_AT_LEAST = 1_000


def main() -> int:
    """Measure what is asked for; return 1 when a speed is missed or a promise broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.autoscaler")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--trace", action="append", choices=tuple(SOURCES))
    parser.add_argument("--stage", action="append", choices=STAGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    console, parts = Console(), asked.part or PARTS
    met = True
    if "decisions" in parts:
        met &= _decisions(console, _policy(_plan("stage-c")))
    if "walk" in parts:
        _walk(console, _policy(_plan("stage-c")))
    if "replay" in parts:
        runs: list[dict[str, Any]] = []
        for name in asked.trace or SOURCES:
            for stage in asked.stage or STAGES:
                quick, found = _replayed(console, stage, name, asked.seed)
                met &= quick
                runs += found
        console.print(markdown(runs), soft_wrap=True)
        if asked.json:
            asked.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    console.print("PASS: every speed is met, every promise kept" if met else "FAIL: a speed is missed", style="bold")
    return 0 if met else 1


def _plan(stage: str) -> StagePlan:
    return plan_stage_file(stage_file(find_project(Path.cwd()), stage))


def _policy(plan: StagePlan) -> Policy:
    if plan.burst is None:
        raise SystemExit(f"{plan.name} has no spot workers")
    return plan_policy(plan.config, plan.layout, plan.burst)


def _decisions(console: Console, policy: Policy) -> bool:
    found = decisions_per_second(policy)
    console.print(f"decide: {found:,.0f} decisions/s on one core, at least {PER_SECOND_AT_LEAST:,}")
    return found >= PER_SECOND_AT_LEAST


def _walk(console: Console, policy: Policy) -> None:
    began = time.perf_counter()
    found = walked(policy)
    console.print(
        f"walk: {found.steps:,} steps ({WALKS} walks of {STEPS:,}) in {time.perf_counter() - began:.0f} s, every "
        f"promise kept: {found.machines:,} machines, at most {found.most_machines} at once, {found.drains:,} drained, "
        f"{found.crashes:,} crashes, {found.twins} compared with none; the dearest month of any walk cost "
        f"{max(found.usd_by_month.values()):.2f} of {policy.spending.cap_usd_per_month:.2f} USD"
    )


def _replayed(console: Console, stage: str, name: str, seed: int) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether each run was quick enough, and the runs; hours are too short to judge the speed by."""
    scaled = setting(_plan(stage), trace(name))
    outcomes, slowest = [], float("inf")
    for scaler in SCALERS:
        began = time.process_time()
        outcomes.append(replay(scaled, scaler, seed))
        slowest = min(slowest, scaled.trace.seconds / (time.process_time() - began))
    console.print(table(outcomes))
    console.print(f"goal {goal(outcomes)}; slowest run {slowest:,.0f} × real time")
    console.print()
    return slowest >= REAL_TIME_AT_LEAST or scaled.trace.seconds < 86_400, data(outcomes)


if __name__ == "__main__":
    sys.exit(main())
