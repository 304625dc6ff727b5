"""What a rule across components says about one plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dreamseed.errors import PlanError
from dreamseed.planning.stage_plan import StagePlan


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """One rule and how a plan stands to it.

    `where` is the place in the stage file (without the stage's name), `left` and `right` what is compared, in words
    with their units; `remedy` what to write instead when it does not hold.
    """

    name: str
    where: str
    left: str
    right: str
    holds: bool
    why: str
    remedy: str

    def refusal(self, stage: str) -> PlanError:
        """Return the error of a plan that breaks the rule."""
        return PlanError(f"{stage} › {self.where}", f"{self.left}, but {self.right}", self.why, self.remedy)


Rule = Callable[["StagePlan"], Iterable[Invariant]]
"""A rule: the invariants that it finds in a plan, none where it has nothing to say."""
