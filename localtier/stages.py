"""The stages as this machine runs them: the shipped files with one change, engines without a card."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config.compute import Accelerator
from dreamseed.config.load import PROJECT_FILE, STAGE_KEY, stage_file
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from rehearsal.runner import Project, Workspace

ACCELERATOR = Accelerator.SIMULATED


@dataclass(frozen=True)
class LocalWorkspace(Workspace):
    """A workspace whose copies of the stage files ask for simulated engines."""

    def prepare(self) -> None:
        """Make the folders and write the changed settings. Raises FileNotFoundError when a stack has no file."""
        super().prepare()
        for stack in self.project.stacks:
            path = self.config_file(stack)
            path.write_text(simulated(path.read_text(encoding="utf-8")), encoding="utf-8")


def simulated(text: str) -> str:
    """Return the stage file `text` with simulated engines; nothing else is changed."""
    content: dict[str, Any] = yaml.safe_load(text)
    content["config"][STAGE_KEY].setdefault("vllm", {})["accelerator"] = ACCELERATOR.value
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def simulated_plan(project: Project, stage: str, folder: Path) -> StagePlan:
    """Return the plan of `stage` as it runs here; `folder` takes the changed file.

    Raises `ConfigErrors` and `PlanError` as for any stage file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project.directory / PROJECT_FILE, folder / PROJECT_FILE)
    path = stage_file(folder, stage)
    path.write_text(simulated(stage_file(project.directory, stage).read_text(encoding="utf-8")), encoding="utf-8")
    return plan_stage_file(path, folder)
