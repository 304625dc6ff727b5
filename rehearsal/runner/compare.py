"""Compare two versions of a project: what one does to the state that the other left, stage by stage."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.events import Broken, Change
from rehearsal.runner.ladder import LADDER_STACK, climb
from rehearsal.runner.rehearse import Setting
from rehearsal.runner.steps import Steps, Watch
from rehearsal.runner.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one run of the engine did or would do to bring `before` to `stage`.

    In a preview of the new version `before` is the same stage, as the old version left it.
    """

    before: str
    stage: str
    changes: tuple[Change, ...]
    broken: tuple[Broken, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The new version previewed on the old one's stages; the promotions of both; why the old one failed, if it did."""

    stages: tuple[Step, ...]
    promotions_before: tuple[Step, ...]
    promotions_after: tuple[Step, ...]
    failures_before: tuple[str, ...]


def compare(before: Setting, after: Setting, watch: Watch, *, promote: bool = True) -> Comparison:
    """Bring one state through the stages by `before`, preview `after` on each of them, and `promote` by `after`, too.

    Both settings name the same stacks and have providers of their own. The engine's protection is taken off the copies
    on which `after` is previewed: it would end the preview at the first thing that is lost, and all are to be told.
    """
    stages = before.project.stacks
    steps, ignored = Steps(3 * len(stages), watch), Steps(len(stages), lambda _: None)
    old, new = before.engine("before"), after.engine("after")
    with ThreadPoolExecutor(2) as ladders, ThreadPoolExecutor(1) as looks:

        def look(copied: Engine, stage: str) -> Future[Run]:
            return looks.submit(ignored.run, stage, "change of", partial(_preview, copied, after, stage))

        climbing = ladders.submit(climb, old, stages, look, steps)
        promoted = ladders.submit(_promote, new, stages if promote else (), ignored)
        rungs = climbing.result()
        seen = tuple(_step(rung.stage, rung.stage, rung.again.result()) for rung in rungs)
    return Comparison(
        stages=seen,
        promotions_before=tuple(_step(rung.before or "", rung.stage, rung.up) for rung in rungs[1:]),
        promotions_after=promoted.result(),
        failures_before=tuple(f"{failure.step} {failure.stage}: {failure.message}" for failure in steps.failures),
    )


def _promote(engine: Engine, stages: tuple[str, ...], steps: Steps) -> tuple[Step, ...]:
    """Bring one state through the stages; return the promotions, the last of them failed where one fails."""
    if not stages:
        return ()
    engine.create_stack(LADDER_STACK, like=stages[0])
    done: list[Step] = []
    for before, stage in zip(("", *stages), stages, strict=False):
        run = steps.run(stage, "promotion to", partial(engine.up, LADDER_STACK, stage))
        done.append(_step(before, stage, run))
        if not run.succeeded:
            break
    return tuple(step for step in done if step.before or step.errors)


def _preview(copied: Engine, after: Setting, stage: str, reached: Reached) -> Run:
    """Preview the new version on a copy of the state, without the engine's protection."""
    fresh = after.engine(f"look-{stage}")
    workspace = Workspace(after.project, copied.workspace.root)
    workspace.prepare()
    environment = {**fresh.environment, **copied.environment, "PATH": fresh.environment["PATH"]}
    engine = replace(fresh, workspace=workspace, environment=environment)
    lifted = engine.unprotect(LADDER_STACK)
    return engine.preview(LADDER_STACK, stage, reached) if lifted.succeeded else lifted


def _step(before: str, stage: str, run: Run) -> Step:
    return Step(
        before=before,
        stage=stage,
        changes=tuple(run.events.changes()),
        broken=tuple(run.events.broken),
        errors=run.errors,
    )
