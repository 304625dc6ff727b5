"""The stages as a ladder of thresholds, read from the stage files, and when a trajectory reaches each rung."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dreamseed.config.stage import StageConfig
from dreamseed.config.types import Stage
from dreamseed.growth.costs import CostOfStage
from dreamseed.growth.parameters import Floats, GrowthError
from dreamseed.interval import Interval


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One stage: it begins above `begins_above_sign_ups` and is built for `sign_ups`.

    `new_gpus` and `new_servers` must be there when it begins and are not in the stage before; at the first stage they
    are what there is.
    """

    stage: Stage
    begins_above_sign_ups: int
    sign_ups: int
    daily_active_users: int
    new_gpus: int
    new_servers: int
    cost: Interval


Ladder = tuple[Rung, ...]


def ladder(configs: Iterable[StageConfig], cost_of_stage: CostOfStage) -> Ladder:
    """Return the rungs of the stages in `configs`, in order; raises `GrowthError` when they are no ladder."""
    rungs: list[Rung] = []
    before: StageConfig | None = None
    for config in sorted(configs, key=lambda config: config.service.stage.rank):
        stage = config.service.stage
        rungs.append(
            Rung(
                stage=stage,
                begins_above_sign_ups=_threshold(before),
                sign_ups=config.service.capacity.sign_ups,
                daily_active_users=config.service.capacity.daily_active_users,
                new_gpus=max(0, _gpus(config) - (_gpus(before) if before else 0)),
                new_servers=max(0, len(config.servers) - (len(before.servers) if before else 0)),
                cost=cost_of_stage(stage),
            )
        )
        before = config
    _check(rungs)
    return tuple(rungs)


def _gpus(config: StageConfig) -> int:
    return sum(server.gpus.count for server in config.servers.values())


def _threshold(before: StageConfig | None) -> int:
    if before is None:
        return 0
    if before.next_stage is None:
        raise GrowthError(
            f"stage-{before.service.stage.lower()} › next_stage",
            "is null, but a stage follows",
            "the threshold of the next stage says when it begins",
            "next_stage: {sign_ups: …} as in the stage before",
        )
    return before.next_stage.sign_ups


def _check(rungs: list[Rung]) -> None:
    if not rungs:
        raise GrowthError("grow", "there are no stages", "growth is set against the stages' thresholds", "a stage file")
    for lower, upper in pairwise(rungs):
        if upper.begins_above_sign_ups <= lower.begins_above_sign_ups:
            raise GrowthError(
                f"stage-{lower.stage.lower()} › next_stage › sign_ups",
                f"{upper.begins_above_sign_ups:,} is not above the {lower.begins_above_sign_ups:,} that stage "
                f"{lower.stage} itself begins at",
                "users grow from stage to stage",
                "a threshold that is above the one before",
            )


def entry_months(rungs: Ladder, sign_ups: Floats) -> Floats:
    """Return the first month above each rung's threshold, shape (rungs, runs); infinite where it is never reached.

    `sign_ups` has the shape (runs, months + 1). The first rung is stood on from month 0.
    """
    entries = np.full((len(rungs), len(sign_ups)), np.inf)
    entries[0] = 0
    for index, rung in enumerate(rungs[1:], start=1):
        above = sign_ups > rung.begins_above_sign_ups
        reached = above.any(axis=1)
        entries[index, reached] = above[reached].argmax(axis=1)
    return entries


def rungs_held(rungs: Ladder, sign_ups: Floats) -> NDArray[np.int64]:
    """Return the index of the rung of each month, shape as `sign_ups`: a stage once reached is held."""
    thresholds = [rung.begins_above_sign_ups for rung in rungs[1:]]
    reached = np.searchsorted(thresholds, sign_ups, side="left")
    return np.maximum.accumulate(reached, axis=1)
