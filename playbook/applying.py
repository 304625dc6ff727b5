"""Bringing a stage up by the engine: by the approved plan and no other, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dreamseed.promotion.saga import StepError
from playbook.engine_plan import EnginePlan
from rehearsal.providers.cloud.identity import computed_id, is_drawn, is_made_again
from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.recovery import Creation, Identity, recover
from rehearsal.runner.resources import Action

WHERE = "promote › vllm"
TOLD_BY_NAME = ("docker:", "pulumi:")
"""What a killed run left of the first on a server is taken over, or refused by its name; the others are no objects."""
PAUSE_SECONDS = 5.0
"""Before what is not there is asked for again: listings of a cloud may be late."""


@dataclass(frozen=True, kw_only=True)
class Applying:
    """The engine's stack `stack`, the way between two stages (such as ``stage-a``), and who is told of progress.

    The plan that an `up` was begun with is kept in the folder `kept_in` until the stage is rolled back. `identified`
    holds the ids that a person looked up, by the resources' names; an empty one says that nothing is there.
    """

    engine: Engine
    stack: str
    before: str
    after: str
    reached: Reached
    kept_in: Path
    identified: Mapping[str, str] = field(default_factory=dict)

    def preview(self) -> EnginePlan:
        """Return what the engine would change. Raises `StepError`."""
        run = self.engine.preview(self.stack, self.after, self.reached)
        if not run.succeeded:
            raise _failed(f"the preview of {self.after} failed", run)
        return EnginePlan.of(self.before, self.after, run.events.all_changes())

    def up(self, approved: str) -> None:
        """Bring the new stage up if the preview has the digest `approved`.

        An `up` that a kill interrupted leaves less to do: only what is left of the plan that it was begun with may
        change, and what it was making then is looked for first. Raises `StepError`.
        """
        begun = EnginePlan.read(self._begun) if self._begun.exists() else None
        resumed = begun is not None and begun.digest == approved
        if resumed:
            self._find_lost()
        found = self.preview()
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
        self._find_lost()
        self.engine.up(self.stack, self.before, self.reached)
        run = self.engine.preview(self.stack, self.before, self.reached)
        left = run.events.all_changes()
        kept = [one for one in left if one.action is Action.DELETE and one.resource.protected]
        if len(kept) < len(left) or (not run.succeeded and not kept):
            raise _failed(f"{self.before} is not wholly back", run)
        self._begun.unlink(missing_ok=True)
        names = ", ".join(sorted(one.resource.name for one in kept))
        return f"{self.before} is up again{f'; kept, for a person to decide: {names}' if names else ''}"

    def _find_lost(self) -> None:
        """Record what a killed engine made without writing it down: what it was making just then stands in its state.

        Raises `StepError` where only a person can find out whether it is there.
        """
        pending = self.engine.read_state(self.stack)["deployment"].get("pending_operations") or []
        making = {one["resource"]["urn"]: one["resource"]["type"] for one in pending if one["type"] == "creating"}
        numbered = {urn.rpartition("::")[2] for urn, token in making.items() if _is_numbered(token)}
        if names := ", ".join(sorted(numbered - self.identified.keys())):
            raise StepError(
                WHERE,
                f"the engine was killed while it made {names}: whether that is there, nobody recorded",
                "its cloud numbers it, so another run would make a second one",
                "the same command with --id NAME=ID for each, looked up at its cloud; --id NAME= where it is not there",
            )
        if not making:
            return
        self.engine.workspace.unlock(self.stack)
        try:
            recover(self.engine, self.stack, self.after, self._identify, pause_seconds=PAUSE_SECONDS)
        except RuntimeError as error:
            raise StepError(
                WHERE,
                f"what the killed engine was making could not be looked for: {str(error)[:2_000]}",
                "a promotion goes on only where what stands is known",
                "what the engine asks for, then the same command again",
            ) from error

    def _identify(self, creation: Creation) -> Identity | None:
        told = self.identified.get(creation.urn.rpartition("::")[2])
        known = told or computed_id(creation.type, creation.inputs, creation.config)
        return Identity(known) if known else None

    @property
    def _begun(self) -> Path:
        return self.kept_in / f"begun-{self.after}.json"


def _is_numbered(token: str) -> bool:
    """Whether a second creation of this type would make a second object, and nobody knows the first one's id."""
    return is_drawn(token) and not is_made_again(token) and not token.startswith(TOLD_BY_NAME)


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
