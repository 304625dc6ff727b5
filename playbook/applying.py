"""Bringing a stage up by the engine: by the approved plan and no other, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dreamseed.promotion.saga import StepError
from playbook.engine_plan import EnginePlan
from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.resources import Action

WHERE = "promote › vllm"


@dataclass(frozen=True, kw_only=True)
class Applying:
    """The engine's stack `stack`, the way between two stages (such as ``stage-a``), and who is told of progress.

    The plan that an `up` was begun with is kept in the folder `kept_in` until the stage is rolled back.
    """

    engine: Engine
    stack: str
    before: str
    after: str
    reached: Reached
    kept_in: Path

    def preview(self) -> EnginePlan:
        """Return what the engine would change. Raises `StepError`."""
        run = self.engine.preview(self.stack, self.after, self.reached)
        if not run.succeeded:
            raise _failed(f"the preview of {self.after} failed", run)
        return EnginePlan.of(self.before, self.after, run.events.all_changes())

    def up(self, approved: str) -> None:
        """Bring the new stage up if the preview has the digest `approved`.

        An `up` that a kill interrupted leaves less to do: only what is left of the plan that it was begun with may
        change. Raises `StepError`.
        """
        found = self.preview()
        begun = EnginePlan.read(self._begun) if self._begun.exists() else None
        resumed = begun is not None and begun.digest == approved
        if not resumed and found.digest != approved:
            raise StepError(
                WHERE,
                f"the engine would do something else than was approved: {found.summary()}, digest {found.digest}",
                f"approved is the plan {approved}",
                "the approved program on the approved state, or a new approval",
            )
        plan = begun if resumed and begun else found
        plan.write(self._begun)
        _check_within(found, plan, resumed, "are left to do")
        run = self.engine.up(self.stack, self.after, self.reached)
        if not run.succeeded:
            raise _failed(f"{self.after} is not up", run)
        done = EnginePlan.of(self.before, self.after, run.events.all_changes())
        _check_within(done, plan, resumed, "were done")

    def roll_back(self) -> str:
        """Bring the stage before up again; return what stays because the engine protects what it holds.

        Raises `StepError` when anything else is left.
        """
        self.engine.up(self.stack, self.before, self.reached)
        run = self.engine.preview(self.stack, self.before, self.reached)
        left = run.events.all_changes()
        kept = [one for one in left if one.action is Action.DELETE and one.resource.protected]
        if len(kept) < len(left) or (not run.succeeded and not kept):
            raise _failed(f"{self.before} is not wholly back", run)
        self._begun.unlink(missing_ok=True)
        names = ", ".join(sorted(one.resource.name for one in kept))
        return f"{self.before} is up again{f'; kept, for a person to decide: {names}' if names else ''}"

    @property
    def _begun(self) -> Path:
        return self.kept_in / f"begun-{self.after}.json"


def _check_within(found: EnginePlan, plan: EnginePlan, resumed: bool, what: str) -> None:
    """Refuse changes that `plan` does not name; what a kill interrupted may end by another action on its resource."""
    known = {urn for urn, _ in plan.actions}
    foreign = sorted(one for one in found.actions - plan.actions if not resumed or one[0] not in known)
    if foreign:
        raise StepError(
            WHERE,
            f"{len(foreign)} changes {what} that the approved plan lacks, such as {' of '.join(foreign[0][::-1])}",
            "only what was approved is changed",
            "a new plan and a new approval",
        )


def _failed(what: str, run: Run) -> StepError:
    return StepError(
        WHERE,
        f"{what}; the engine said: {'; '.join(run.errors)[:2_000] or 'nothing'}",
        "a promotion stops at any failed step",
        "what the engine asks for, then the same command again: what is done stays done",
    )
