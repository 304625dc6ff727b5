"""The whole rehearsal: the previews and the ladder side by side, one engine run on each of two cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.outcome import Rehearsal
from rehearsal.runner.resources import Classify, by_default
from rehearsal.runner.steps import Steps, Watch, climb, preview_stage
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.toolchain import Toolchain


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a rehearsal runs with.

    `workspace` is an empty folder that the caller removes; `providers` is the environment of the attached
    providers; `before_destroy` lifts what the providers themselves protect from deletion.
    """

    project: Project
    toolchain: Toolchain
    workspace: Path
    providers: Mapping[str, str]
    classify: Classify = by_default
    before_destroy: Callable[[], None] = lambda: None

    def engine(self) -> Engine:
        """Return the engine on a prepared workspace."""
        workspace = Workspace(self.project, self.workspace)
        workspace.prepare()
        return Engine(self.toolchain, workspace, workspace.environment(self.toolchain, self.providers))


def rehearse(setting: Setting, watch_previews: Watch, watch_ladder: Watch) -> Rehearsal:
    """Preview every stage from nothing and climb the ladder in one state, at the same time.

    The previews are one line of work and the ladder another: each step of the ladder needs the one before
    it, so more than two lines would only make both wait on two cores.
    """
    began = time.monotonic()
    engine, stages = setting.engine(), setting.project.stacks
    previews = Steps(len(stages), watch_previews)
    ladder = Steps(2 * len(stages) + 1, watch_ladder)
    with ThreadPoolExecutor(2) as pool:
        climbing = pool.submit(climb, engine, stages, setting.classify, setting.before_destroy, ladder)
        seen = [preview_stage(engine, stage, setting.classify, previews) for stage in stages]
        promotions, destroyed = climbing.result()
    return Rehearsal(
        stages=tuple(preview for preview in seen if preview),
        promotions=tuple(promotions),
        destroyed=destroyed,
        failures=(*previews.failures, *ladder.failures),
        seconds=time.monotonic() - began,
    )


def preview_with_diff(setting: Setting, stage: str, watch: Watch) -> Run:
    """Preview one stage from nothing; the run's output is the engine's full diff."""
    engine = setting.engine()
    created = engine.create_stack(stage, like=stage)
    if not created.succeeded:
        return created
    steps = Steps(1, watch)
    return steps.run(stage, "preview", lambda reached: engine.preview(stage, stage, reached, diff=True))
