"""How much of a processor the program's start takes: Python, the imports, and the plan, before the first resource."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

STARTS = 5
PULUMI = "import pulumi, gc; gc.disable()"
PROGRAM = f"{PULUMI}; import components.topology; from dreamseed.planning.planner import plan_stage_file as plan"
WHOLE_SDKS = f"{PULUMI}; import pulumi_cloudflare, pulumi_gcp; pulumi_gcp.compute.Address; {PROGRAM}"
"""The same with the two big SDKs imported as a whole, as they come (see `components/light_sdk.py`)."""


def start_seconds(project: Path, stage: str, code: str) -> float:
    """Return the median seconds of a processor for running `code` and planning `stage`, modules compiled."""
    whole = f"{code}; from pathlib import Path; plan(Path('Pulumi.{stage}.yaml'))"
    taken = [_seconds(project, whole) for _ in range(STARTS + 1)]
    return median(taken[1:])  # the first may have compiled something


def _seconds(project: Path, code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=project, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
