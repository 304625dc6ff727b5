"""The whole rehearsal: the previews and the ladder side by side, two engine runs at a time."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.ladder import LADDER_STACK, SECOND_PREVIEW, climb, judged, take_down
from rehearsal.runner.outcome import Rehearsal, StagePreview
from rehearsal.runner.packs import stand_in
from rehearsal.runner.resources import Classify, by_default
from rehearsal.runner.steps import Steps, Watch
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.toolchain import Toolchain

WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a rehearsal runs with.

    `workspace` is an empty folder that the caller removes; `providers` is the environment of the attached
    providers; `before_destroy` lifts what the providers themselves protect from deletion;
    every preview and up is held to `policy_pack`; `judges` says who judges each package, for the record.
    """

    project: Project
    toolchain: Toolchain
    workspace: Path
    providers: Mapping[str, str]
    classify: Classify = by_default
    before_destroy: Callable[[], None] = lambda: None
    policy_pack: Path | None = None
    judges: Mapping[str, str] = field(default_factory=dict)

    def engine(self, line: str) -> Engine:
        """Return the engine on a prepared workspace of its own for a line of work."""
        workspace = Workspace(self.project, self.workspace / line)
        workspace.prepare()
        environment = workspace.environment(self.toolchain, self.providers)
        if self.policy_pack is None:
            return Engine(self.toolchain, workspace, environment)
        started = stand_in(self.policy_pack, self.toolchain, workspace.root)
        environment["PATH"] = os.pathsep.join([str(started.bin_dir), environment["PATH"]])
        return Engine(self.toolchain, workspace, environment, started.pack)


def rehearse(setting: Setting, watch_previews: Watch, watch_ladder: Watch) -> Rehearsal:
    """Preview every stage from nothing and climb the ladder in one state, two engine runs at a time.

    Each step of the ladder needs the one before it, so the ladder holds one of two workers. The other looks
    again after each step, and previews a stage from nothing while the ladder is at the next.
    """
    began = time.monotonic()
    stages = setting.project.stacks
    previews, ladder = Steps(2 * len(stages), watch_previews), Steps(len(stages) + 1, watch_ladder)
    alone, ladder_engine = setting.engine("previews"), setting.engine("ladder")
    with ThreadPoolExecutor(WORKERS) as pool:
        not_begun = deque(stages)
        seen: list[Future[StagePreview | None]] = []

        def preview_next() -> None:
            if not_begun:
                seen.append(pool.submit(_preview, alone, not_begun.popleft(), setting.classify, previews))

        def look_again(engine: Engine, stage: str) -> Future[Run]:
            preview = partial(engine.preview, LADDER_STACK, stage)
            found = pool.submit(previews.run, stage, SECOND_PREVIEW, preview)
            preview_next()
            return found

        climbing = pool.submit(climb, ladder_engine, stages, look_again, ladder)
        preview_next()
        rungs = climbing.result()
        while not_begun:  # the climb ended early
            preview_next()
        # Waits for every look at the state: a preview may look things up in the cloud, so that must still stand.
        promotions = tuple(judged(rung, setting.classify, ladder) for rung in rungs)
        whole = len(rungs) == len(stages)
        destroyed = take_down(ladder_engine, stages[-1], setting.before_destroy, ladder) if whole else 0
    return Rehearsal(
        stages=tuple(preview for future in seen if (preview := future.result())),
        promotions=promotions,
        destroyed=destroyed,
        failures=(*previews.failures, *ladder.failures),
        seconds=time.monotonic() - began,
    )


def _preview(engine: Engine, stage: str, classify: Classify, steps: Steps) -> StagePreview | None:
    """Preview one stage from nothing, in a stack of its own; nothing when the preview failed."""
    created = engine.create_stack(stage, like=stage)
    preview = partial(engine.preview, stage, stage)
    run = steps.run(stage, "preview", preview if created.succeeded else lambda _: created)
    if not run.succeeded:
        return None
    resources = run.events.resources()
    by_component = Counter(classify(resource).component for resource in resources)
    ordered = dict(sorted(by_component.items()))
    return StagePreview(stage, len(resources), ordered, run.events.component_count(), run.seconds)


def preview_with_diff(setting: Setting, stage: str, watch: Watch) -> Run:
    """Preview one stage from nothing; the run's output is the engine's full diff."""
    engine = setting.engine("preview")
    created = engine.create_stack(stage, like=stage)
    if not created.succeeded:
        return created
    steps = Steps(1, watch)
    return steps.run(stage, "preview", lambda reached: engine.preview(stage, stage, reached, diff=True))
