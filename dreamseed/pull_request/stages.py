"""Which stages a change reaches, what it does to their cost, and what they survive after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dreamseed.config import STAGE_NAMES, stage_file
from dreamseed.cost.diff import CostDiff, cost_diff
from dreamseed.cost.estimate import estimate
from dreamseed.cost.stages import GIT, named_stage
from dreamseed.errors import ConfigErrors, DreamSeedError
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Claim, DataLoss, survivability
from dreamseed.pull_request.findings import Survival

REACH_EVERY_STAGE = (
    *("Pulumi.yaml", "__main__.py", "requirements.lock", "components/", "dreamseed/catalog/", "dreamseed/config/"),
    *("dreamseed/cost/", "dreamseed/monitoring/", "dreamseed/planning/", "images/", "policy/", "rehearsal/"),
)
"""What the program of every stage is made of, or judged by."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A stage before and after the change."""

    before: StagePlan
    after: StagePlan


def reached(files: Iterable[str]) -> tuple[str, ...]:
    """Return the stages that changes of `files`, by their paths in the project, may reach."""
    changed = set(files)
    if any(file.startswith(REACH_EVERY_STAGE) for file in changed):
        return STAGE_NAMES
    return tuple(name for name in STAGE_NAMES if stage_file(Path(), name).name in changed)


def with_neighbours(stages: Sequence[str]) -> tuple[str, ...]:
    """Return the part of the ladder with each promotion into or out of `stages`."""
    if not stages:
        return ()
    ranks = [STAGE_NAMES.index(name) for name in stages]
    return STAGE_NAMES[max(min(ranks) - 1, 0) : max(ranks) + 2]


def plan_both(stages: Iterable[str], project: Path, base: str) -> tuple[list[Planned], dict[str, str]]:
    """Return the plans of the stages before and after, and by stage the words with which one was refused.

    Both are planned by the code as it is after the change: what differs are the stage files.
    """
    planned, refused = [], {}
    for name in stages:
        try:
            after = named_stage(name, project).plan()
            planned.append(Planned(before=named_stage(f"{GIT}{base}:{name}", project).plan(), after=after))
        except (DreamSeedError, ConfigErrors) as error:
            refused[name] = str(error)
    return planned, refused


def costs(planned: Iterable[Planned], today: date) -> Iterator[CostDiff]:
    """Yield what the change does to the month of each stage that it makes cheaper or dearer."""
    for each in planned:
        found = cost_diff(estimate(each.before, today=today), estimate(each.after, today=today), today)
        if found.changes:
            yield found


def survival(planned: Iterable[Planned]) -> Iterator[Survival]:
    """Yield what the stages survive otherwise after the change."""
    for each in planned:
        before, after = (_claims(plan) for plan in (each.before, each.after))
        for loss in dict.fromkeys((*before, *after)):
            old, new = before.get(loss), after.get(loss)
            if _words(old) != _words(new):
                worse = old is not None and new is not None and _damage(new) > _damage(old)
                yield Survival(stage=each.after.name, loss=loss, before=_words(old), after=_words(new), worse=worse)


def _damage(claim: Claim) -> tuple[bool, int]:
    """Return what orders two claims about one loss: an end of the service first, then what is gone for good."""
    return not claim.survives, tuple(DataLoss).index(claim.data_lost)


def _claims(plan: StagePlan) -> dict[str, Claim]:
    return {f"{claim.component}, loss of {claim.loss} {claim.target}": claim for claim in survivability(plan)}


def _words(claim: Claim | None) -> str | None:
    if claim is None:
        return None
    lost = "" if claim.data_lost is DataLoss.NONE else f", data lost: {claim.data_lost}"
    return f"{'survived' if claim.survives else 'not survived'}{lost}: {claim.consequence}"
