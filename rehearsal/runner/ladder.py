"""Climb the ladder: bring one state through the stages, look again after each step, destroy at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.events import Change
from rehearsal.runner.outcome import Promotion, Touched
from rehearsal.runner.resources import Action, Classify
from rehearsal.runner.steps import Steps

LADDER_STACK = "ladder"
SECOND_PREVIEW = "second preview of"
LOSES_STATE = (Action.REPLACE, Action.DELETE)
NAMED_AT_MOST = 12

# Starts the preview that must find nothing, on a copy of the state as a step left it.
LookAgain = Callable[[Engine, str], Future[Run]]


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: the run that brought the state to `stage`, and the preview after it."""

    before: str | None
    stage: str
    up: Run
    again: Future[Run]

    @property
    def name(self) -> str:
        """What the step is called in progress and failures, before the stage's name."""
        return step_name(self.before)


def step_name(before: str | None) -> str:
    """Return what a step from `before` is called."""
    return f"promotion {before} →" if before else "first up of"


def climb(engine: Engine, stages: tuple[str, ...], look_again: LookAgain, steps: Steps) -> list[Rung]:
    """Bring one state through the stages; return the rungs that were reached.

    Stops at the first step that fails: what follows would only repeat it. The previews after each step run on
    a copy of the state, so the next step need not wait for them.
    """
    rungs: list[Rung] = []
    created = engine.create_stack(LADDER_STACK, like=stages[0])
    for before, stage in zip((None, *stages), stages, strict=False):
        bring = partial(engine.up, LADDER_STACK, stage)
        up = steps.run(stage, step_name(before), bring if created.succeeded else lambda _: created)
        if not up.succeeded:
            break
        rungs.append(Rung(before, stage, up, look_again(engine.with_copied_state(stage), stage)))
    return rungs


def take_down(engine: Engine, stage: str, before_destroy: Callable[[], None], steps: Steps) -> int:
    """Destroy everything that stands at `stage`; return how many resources were destroyed.

    `before_destroy` is called when the engine's protection is off and before anything is deleted.
    """
    engine.unprotect(LADDER_STACK)
    before_destroy()
    run = steps.run(stage, "destroy", partial(engine.destroy, LADDER_STACK, stage))
    return len(run.events.changes()) if run.succeeded else 0


def judged(rung: Rung, classify: Classify, steps: Steps) -> Promotion:
    """Return what a rung did; lost state and a second preview with something to do are noted as failures."""
    again = rung.again.result()
    changes, changes_again = rung.up.events.changes(), again.events.all_changes() if again.succeeded else []
    if changes_again:
        steps.fail(
            rung.stage,
            SECOND_PREVIEW,
            f"{len(changes_again)} resources would change again though nothing changed:\n{_named(changes_again)}",
            "make what the program declares equal to what the provider answers",
        )
    stateful = [change for change in changes if classify(change.resource).stateful]
    lost = [change for change in stateful if change.action in LOSES_STATE]
    if lost:
        steps.fail(
            rung.stage,
            rung.name,
            f"{len(lost)} stateful resources would lose their state:\n{_named(lost)}",
            "keep their names and immutable inputs, give a renamed one an alias, or move the state first",
        )
    counts = Counter(change.action for change in changes)
    return Promotion(
        from_stage=rung.before,
        to_stage=rung.stage,
        counts={action: counts[action] for action in Action},
        stateful_touched=tuple(Touched(change.resource.urn, change.action) for change in stateful),
        changes=tuple(changes),
        second_preview_changes=len(changes_again),
        seconds=rung.up.seconds + again.seconds,
    )


def _named(changes: list[Change]) -> str:
    lines = [f"{c.action} {c.resource.urn} ({', '.join(c.properties)})" for c in changes[:NAMED_AT_MOST]]
    more = len(changes) - len(lines)
    return "\n".join([*lines, f"and {more} more"] if more else lines)
