"""One turn of the API's bounds: look at Cloud Run and at Prometheus, decide, persist, act."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import httpx

from autoscaler.bounds import BoundsDecision, BoundsObservation, BoundsPolicy, decide_bounds
from autoscaler.cloud import CloudError
from autoscaler.cloud_run import WarmInstances
from autoscaler.prometheus import value
from autoscaler.settings import BoundsQueries
from autoscaler.spending import committed_usd
from autoscaler.tick import Keeper

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Warm:
    """What is asked, and by which rule."""

    policy: BoundsPolicy
    queries: BoundsQueries
    service: WarmInstances

    def turn(
        self, keeper: Keeper, prometheus: httpx.Client, now: float, *, killed: bool, dry_run: bool = False
    ) -> BoundsDecision:
        """Decide once, keep the state, then act; with `dry_run` nothing is done in the cloud."""
        seen = {name: value(prometheus, query) for name, query in self.queries.model_dump().items()}
        state = keeper.read()
        if seen["headroom_usd"] is not None:
            seen["headroom_usd"] -= committed_usd(state.workers)
        observation = BoundsObservation.model_validate({**seen, "warm": self._read(), "killed": killed})
        decision = decide_bounds(state.bounds, observation, self.policy, now)
        keeper.save(state.model_copy(update={"bounds": decision.state}))
        if decision.action is not None and not dry_run:
            try:
                self.service.write(decision.action.count)
            except CloudError as error:
                logger.warning("%s; the next turn looks again", error)
        return decision

    def _read(self) -> int | None:
        try:
            return self.service.read()
        except CloudError as error:
            logger.warning("%s", error)
            return None
