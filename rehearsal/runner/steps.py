"""The two things a rehearsal does: preview stages from nothing, and climb the ladder in one state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.outcome import Failure, Promotion, StagePreview, Touched
from rehearsal.runner.resources import Action, Classify

LADDER_STACK = "ladder"
LOSES_STATE = (Action.REPLACE, Action.DELETE)
NAMED_AT_MOST = 12


@dataclass(frozen=True)
class Progress:
    """Where one line of work stands: step `done + 1` of `total` has reached so many resources."""

    step: str
    done: int
    total: int
    resources: int


Watch = Callable[[Progress], None]


@dataclass
class Steps:
    """A line of work: a known number of engine runs one after the other, each watched, failures gathered."""

    total: int
    watch: Watch
    failures: list[Failure] = field(default_factory=list)
    done: int = 0

    def run(self, stage: str, step: str, work: Callable[[Callable[[int], None]], Run]) -> Run:
        """Run one step; a failure of the engine is noted with the stage and the step."""
        run = work(lambda resources: self.watch(Progress(f"{step} {stage}", self.done, self.total, resources)))
        self.done += 1
        self.watch(Progress(f"{step} {stage}", self.done, self.total, run.events.registered))
        if not run.succeeded:
            self.fail(
                stage,
                step,
                "\n".join(run.errors),
                f"correct it, then preview {stage} alone with its full diff",
            )
        return run

    def fail(self, stage: str, step: str, message: str, remedy: str) -> None:
        """Note a failure."""
        self.failures.append(Failure(stage, step, message, remedy))


def preview_stage(engine: Engine, stage: str, classify: Classify, steps: Steps) -> StagePreview | None:
    """Preview one stage from nothing, in a stack of its own; nothing when the preview failed."""
    created = engine.create_stack(stage, like=stage)
    run = steps.run(
        stage,
        "preview",
        lambda reached: engine.preview(stage, stage, reached) if created.succeeded else created,
    )
    if not run.succeeded:
        return None
    resources = run.events.resources()
    by_component = Counter(classify(resource).component for resource in resources)
    ordered = dict(sorted(by_component.items()))
    return StagePreview(stage, len(resources), ordered, run.events.component_count(), run.seconds)


def climb(
    engine: Engine,
    stages: tuple[str, ...],
    classify: Classify,
    before_destroy: Callable[[], None],
    steps: Steps,
) -> tuple[list[Promotion], int]:
    """Bring one state through the stages, then destroy it; return the promotions and the count destroyed.

    Stops at the first engine run that fails: what follows would only repeat it. `before_destroy` is called
    when the engine's protection is off and before anything is deleted.
    """
    promotions: list[Promotion] = []
    created = engine.create_stack(LADDER_STACK, like=stages[0])
    for before, stage in zip((None, *stages), stages, strict=False):
        if not created.succeeded:
            steps.run(stage, "first up of", lambda _: created)
            return promotions, 0
        promotion = _promote(engine, before, stage, classify, steps)
        if promotion is None:
            return promotions, 0
        promotions.append(promotion)
    engine.unprotect(LADDER_STACK)
    before_destroy()
    run = steps.run(stages[-1], "destroy", lambda reached: engine.destroy(LADDER_STACK, stages[-1], reached))
    return promotions, len(run.events.changes()) if run.succeeded else 0


def _promote(engine: Engine, before: str | None, stage: str, classify: Classify, steps: Steps) -> Promotion | None:
    step = f"promotion {before} →" if before else "first up of"
    up = steps.run(stage, step, lambda reached: engine.up(LADDER_STACK, stage, reached))
    if not up.succeeded:
        return None
    second = steps.run(stage, "second preview of", lambda reached: engine.preview(LADDER_STACK, stage, reached))
    if not second.succeeded:
        return None
    again = second.events.all_changes()
    if again:
        shown = "\n".join(f"{c.action} {c.resource.urn} ({', '.join(c.properties)})" for c in again[:NAMED_AT_MOST])
        steps.fail(
            stage,
            "second preview of",
            f"{len(again)} resources would change again though nothing changed:\n{shown}",
            "make what the program declares equal to what the provider answers",
        )
    changes = up.events.changes()
    touched = tuple(Touched(c.resource.urn, c.action) for c in changes if classify(c.resource).stateful)
    lost = [t for t in touched if t.action in LOSES_STATE]
    if lost:
        shown = "\n".join(f"{t.action} {t.urn}" for t in lost[:NAMED_AT_MOST])
        steps.fail(
            stage,
            step,
            f"{len(lost)} stateful resources would lose their state:\n{shown}",
            "keep their names and immutable inputs, give a renamed one an alias, or move the state first",
        )
    counts = Counter(change.action for change in changes)
    return Promotion(
        from_stage=before,
        to_stage=stage,
        counts={action: counts[action] for action in Action},
        stateful_touched=touched,
        changes=tuple(changes),
        second_preview_changes=len(again),
        seconds=up.seconds + second.seconds,
    )
