"""Where the pictures stand in the project, and their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dreamseed.config.load import STAGE_NAMES, stage_file
from dreamseed.picture.ladder import ladder_picture
from dreamseed.picture.stage import stage_picture
from dreamseed.planning.planner import plan_stage_file

FOLDER = "docs/pictures"


def pictures(project: Path) -> Mapping[str, str]:
    """Return the text of every picture by its path below `project`, planned from the project's stage files."""
    plans = [plan_stage_file(stage_file(project, name), project) for name in STAGE_NAMES]
    drawn = {f"{FOLDER}/{plan.name}.svg": stage_picture(plan) for plan in plans}
    return {**drawn, f"{FOLDER}/ladder.svg": ladder_picture(plans)}
