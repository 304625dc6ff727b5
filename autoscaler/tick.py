"""One turn: look at the cloud, decide, persist, act. It may end anywhere; the next one goes on from what it finds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from autoscaler.cloud import Cloud, CloudError
from autoscaler.decide import decide
from autoscaler.policy import Policy
from autoscaler.records import Action, BuyCard, Decision, Delete, Drain, Inventory, Launch, Observation, State

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """What keeps the state between two turns."""

    def read(self) -> State:
        """Return the state."""

    def save(self, state: State) -> None:
        """Keep the state before anything is done."""


def turn(
    keeper: Keeper,
    cloud: Cloud,
    observation: Observation,
    policy: Policy,
    now: float,
    alert: Callable[[BuyCard], None],
    *,
    dry_run: bool = False,
) -> Decision:
    """Decide once with the cloud's list of now, keep the state, then act; with `dry_run` nothing is done."""
    seen = observation.model_copy(update={"inventory": _inventory(cloud, now)})
    decision = decide(keeper.read(), seen, policy, now)
    keeper.save(decision.state)
    for action in () if dry_run else decision.actions:
        try:
            act(cloud, action, alert)
        except CloudError as error:
            logger.warning("%s: %s; the next turn looks again", action.kind, error)
    return decision


def act(cloud: Cloud, action: Action, alert: Callable[[BuyCard], None]) -> None:
    """Take one action. Raises `CloudError`."""
    if isinstance(action, Launch):
        cloud.launch(action)
    elif isinstance(action, Drain):
        cloud.drain(action)
    elif isinstance(action, Delete):
        cloud.delete(action)
    else:
        alert(action)


def _inventory(cloud: Cloud, now: float) -> Inventory | None:
    try:
        return cloud.inventory(now)
    except CloudError as error:
        logger.warning("%s", error)
        return None
