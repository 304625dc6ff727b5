"""Looking again at what a rehearsed promotion left."""

from __future__ import annotations

from pathlib import Path

from dreamseed.config import STAGE_NAMES, Stage
from playbook.engine_plan import EnginePlan
from playbook.made_up import now
from playbook.rehearsed import RehearsedWorld
from rehearsal.runner import Project
from tests.promotion.saga_world import plan_of


def preview_again(root: Path) -> EnginePlan:
    """Return what the engine would still change for stage B in the project at `root`."""
    return RehearsedWorld(
        root=root / "build" / "promotion",
        project=Project(directory=root, stacks=STAGE_NAMES, passphrase="rehearsal"),
        before=plan_of(Stage.A),
        after=plan_of(Stage.B),
        reached=lambda _: None,
        clock=now,
    ).preview()
