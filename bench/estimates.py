"""How long it takes to say what all five stages cost, once the modules are loaded."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from dreamseed.config import STAGE_NAMES, stage_file
from dreamseed.cost import estimate
from dreamseed.planning.planner import plan_stage_file

RUNS = 5
SECONDS_AT_MOST = 1.0


def estimate_seconds(project: Path) -> float:
    """Return the median seconds of reading, planning and pricing the five stage files of `project`."""

    def once() -> float:
        began = time.perf_counter()
        for name in STAGE_NAMES:
            estimate(plan_stage_file(stage_file(project, name), project))
        return time.perf_counter() - began

    return median(once() for _ in range(RUNS))
