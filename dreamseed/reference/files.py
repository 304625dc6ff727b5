"""Where the generated pages stand in the project, and their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from dreamseed.config.load import STAGE_NAMES, stage_file
from dreamseed.planning.planner import plan_stage_file
from dreamseed.reference.commands import commands_reference
from dreamseed.reference.components import components_reference
from dreamseed.reference.policies import policies_reference
from dreamseed.reference.reach import reach_reference
from dreamseed.reference.rights import rights_reference
from dreamseed.reference.stage_file import stage_file_reference
from dreamseed.reference.stages import promotions_reference, stages_reference

FOLDER = "docs/reference"


def pages(project: Path, app: typer.Typer) -> Mapping[str, str]:
    """Return the text of every page by its path below `project`; `app` is the whole command."""
    plans = [plan_stage_file(stage_file(project, name), project) for name in STAGE_NAMES]
    return {
        f"{FOLDER}/stage-file.md": stage_file_reference(),
        f"{FOLDER}/components.md": components_reference(project),
        f"{FOLDER}/commands.md": commands_reference(app),
        f"{FOLDER}/policies.md": policies_reference(),
        f"{FOLDER}/stages.md": stages_reference(plans),
        f"{FOLDER}/reach.md": reach_reference(plans),
        f"{FOLDER}/rights.md": rights_reference(plans),
        f"{FOLDER}/promotions.md": promotions_reference(plans),
    }
