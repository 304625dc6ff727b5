"""What was found about a change, and whether it may be merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dreamseed.cost.diff import CostDiff
from dreamseed.cost.guardrails import Guardrail, Verdict, guardrails
from dreamseed.pull_request.leaks import Leak


class Action(StrEnum):
    """What is done to a resource, in the order of reports."""

    CREATE = "created"
    UPDATE = "updated"
    REPLACE = "replaced"
    DELETE = "deleted"


LOSES_STATE = (Action.REPLACE, Action.DELETE)


@dataclass(frozen=True, kw_only=True)
class Touched:
    """One resource that changes; `inputs` are the paths that differ."""

    action: Action
    type: str
    name: str
    stateful: bool
    inputs: tuple[str, ...]

    @property
    def loses_state(self) -> bool:
        """Tell whether something that holds state is replaced or deleted."""
        return self.stateful and self.action in LOSES_STATE


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one stage, or a promotion, sees of the change; `errors` are why the engine refused it."""

    name: str
    touched: tuple[Touched, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[Action, int]:
        """Return how many resources are created, updated, replaced and deleted."""
        found = Counter(each.action for each in self.touched)
        return {action: found[action] for action in Action}


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A promotion as it is after the change, and what it counted before (None: it is not known)."""

    effect: Effect
    counts_before: Mapping[Action, int] | None


@dataclass(frozen=True, kw_only=True)
class Survival:
    """A claim of what a stage survives that reads otherwise after the change; None where there is none."""

    stage: str
    loss: str
    before: str | None
    after: str | None
    worse: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything about one change; `refused` are stage files that are wrong, by stage."""

    base: str
    today: date
    stages: tuple[Effect, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    costs: tuple[CostDiff, ...] = ()
    survival: tuple[Survival, ...] = ()
    leaks: tuple[Leak, ...] = ()
    refused: Mapping[str, str]

    def reasons(self) -> Iterator[str]:
        """Yield why the change may not be merged."""
        if self.refused:
            yield f"wrong: {', '.join(self.refused)}"
        if self.leaks:
            yield f"secrets in the change: {len(self.leaks)}"
        effects = (*self.stages, *(promotion.effect for promotion in self.promotions))
        lost = {each.name for effect in effects for each in effect.touched if each.loses_state}
        if lost:
            yield f"state would be lost: {', '.join(sorted(lost))}"
        broken = {rule for effect in effects for rule, _ in effect.broken}
        if broken:
            yield f"policies broken: {', '.join(sorted(broken))}"
        # A preview that policies or a loss fail is told by those.
        failed = [effect.name for effect in effects if effect.errors and not effect.broken]
        if failed:
            yield f"refused by the engine: {', '.join(failed)}"
        failing = ((diff, rule) for diff in self.costs for rule in new_failures(diff, self.today))
        over = [f"{diff.after.plan.name} {rule.name}" for diff, rule in failing]
        if over:
            yield f"cost: {', '.join(over)}"


def new_failures(diff: CostDiff, today: date) -> tuple[Guardrail, ...]:
    """Return the guardrails that fail after the change and did not before: an old fault is not this change's."""
    failing = {rule.name for rule in guardrails(diff.before, today) if rule.verdict is Verdict.FAIL}
    return tuple(rule for rule in diff.guardrails if rule.verdict is Verdict.FAIL and rule.name not in failing)
