"""Which single losses a plan survives, derived from where its parts stand and how they vote.

One claim for each component and each thing of it that can be lost; exporters and jobs are left out, since nothing waits
for them. The claims are about the roles as planned: after a failover some have moved until somebody moves them back.
"""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import cache, database, stateless, stream, votes
from dreamseed.planning.survivability.claims import Claim, DataLoss, Loss, worst
from dreamseed.planning.survivability.groups import LossGroup, grouped, matters

__all__ = ["WHOLE", "Claim", "DataLoss", "Loss", "LossGroup", "grouped", "matters", "survivability", "worst"]

WHOLE = "the service"
"""The component that stands for all that users need together."""
_SPARED = frozenset({*stateless.WATCHERS, "backup"})
"""What users do not notice at once."""


def survivability(plan: StagePlan) -> tuple[Claim, ...]:
    """Return the claims of `plan`, the whole service's first, then component by component."""
    parts = (
        *stateless.claims(plan),
        *database.claims(plan.config, plan.topology),
        *votes.claims(plan.topology),
        *cache.claims(plan.config, plan.topology),
        *stream.claims(plan.config, plan.topology),
    )
    return (*_whole(parts), *parts)


def _whole(parts: tuple[Claim, ...]) -> Iterator[Claim]:
    """Return for each server and link whether everything that users need survives its loss."""
    targets = dict.fromkeys((part.loss, part.target) for part in parts if part.loss in (Loss.SERVER, Loss.LINK))
    for loss, target in targets:
        met = [part for part in parts if (part.loss, part.target) == (loss, target) and part.component not in _SPARED]
        down = [part.component for part in met if not part.survives]
        yield Claim(
            component=WHOLE,
            loss=loss,
            target=target,
            survives=not down,
            data_lost=worst(part.data_lost for part in met),
            consequence=f"away: {', '.join(dict.fromkeys(down))}" if down else "every part that users need goes on",
        )
