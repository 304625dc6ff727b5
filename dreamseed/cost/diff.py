"""What a change costs: two estimates line by line, and the guardrails of changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dreamseed.cost.estimate import Estimate
from dreamseed.cost.guardrails import Guardrail, Verdict, guardrails

LEAST_USD = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """One line before and after, expected USD a month; None where it is absent."""

    name: str
    before_usd: float | None
    after_usd: float | None

    @property
    def change_usd(self) -> float:
        """Return after minus before."""
        return (self.after_usd or 0.0) - (self.before_usd or 0.0)


@dataclass(frozen=True, kw_only=True)
class CostDiff:
    """Two estimates; `changes` are the lines that differ, largest first."""

    before: Estimate
    after: Estimate
    changes: tuple[LineChange, ...]
    guardrails: tuple[Guardrail, ...]

    @property
    def change_usd(self) -> float:
        """Return how much more the expected month costs."""
        return self.after.total.expected - self.before.total.expected

    @property
    def change_ratio(self) -> float:
        """Return that as a share of what it cost before; 0 where that was nothing."""
        before = self.before.total.expected
        return self.change_usd / before if before else 0.0


def cost_diff(before: Estimate, after: Estimate, today: date) -> CostDiff:
    """Return what changes between two estimates, with the guardrails of `after` and of the change."""
    old, new = ({line.name: line.usd.expected for line in estimated.lines} for estimated in (before, after))
    changes = [
        LineChange(name=name, before_usd=old.get(name), after_usd=new.get(name)) for name in dict.fromkeys((*old, *new))
    ]
    moved = sorted(
        (change for change in changes if abs(change.change_usd) >= LEAST_USD),
        key=lambda change: (-abs(change.change_usd), change.name),
    )
    found = CostDiff(before=before, after=after, changes=tuple(moved), guardrails=())
    return CostDiff(
        before=before,
        after=after,
        changes=tuple(moved),
        guardrails=(*_of_change(found), *_crossed(found), *guardrails(after, today)),
    )


def _of_change(diff: CostDiff) -> tuple[Guardrail, ...]:
    """Return the limits of one change. A promotion is none: it has its own gate, and its extra cost is planned."""
    config = diff.after.plan.config
    if diff.before.plan.config.service.stage is not config.service.stage:
        return (
            Guardrail(
                name="size of the change",
                verdict=Verdict.PASS,
                found="not asked of a promotion, whose own gate asks for its budget",
            ),
        )
    limits = config.budget.guardrails
    return (
        Guardrail(
            name="change in USD",
            verdict=Verdict.FAIL if diff.change_usd > limits.change_usd_per_month else Verdict.PASS,
            found=f"{diff.change_usd:+,.2f} USD, limit +{limits.change_usd_per_month:,.0f}",
        ),
        Guardrail(
            name="change in percent",
            verdict=Verdict.FAIL if diff.change_ratio * 100 > limits.change_percent else Verdict.PASS,
            found=f"{diff.change_ratio:+.1%}, limit +{limits.change_percent} %",
        ),
    )


def _crossed(diff: CostDiff) -> tuple[Guardrail, ...]:
    """Return whether this very change crosses the budget: a stage that was over before is the budget rule's matter."""
    was, is_now = diff.before.headroom_usd(), diff.after.headroom_usd()
    if was >= 0 > is_now:
        return (
            Guardrail(
                name="budget crossed",
                verdict=Verdict.FAIL,
                found=f"{was:,.2f} USD were left, now {-is_now:,.2f} USD are missing",
            ),
        )
    found = "was over before" if was < 0 else "stays below"
    return (Guardrail(name="budget crossed", verdict=Verdict.PASS, found=found),)
