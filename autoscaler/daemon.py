"""The daemon: observe, decide, persist, act, again and again, while it leads.

A turn that has begun is ended: a signal to stop is heeded between turns. Without a state nothing is bought: `--begin`
writes an empty one, once. A file at `--kill-switch` deletes every worker and buys none while it is there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from autoscaler.agent import Agent
from autoscaler.bounds import kept_usd
from autoscaler.cloud import Cloud
from autoscaler.metrics import Metrics
from autoscaler.policy import Policy
from autoscaler.prometheus import TIMEOUT_SECONDS, observe
from autoscaler.records import BuyCard, Decision, State
from autoscaler.settings import Queries
from autoscaler.store import NotLeaderError, Store
from autoscaler.tick import turn
from autoscaler.warm import Warm

logger = logging.getLogger(__name__)
PURCHASE_DUE = "GpuPurchaseDue"
"""The alert that it raises itself, at Alertmanager: the owners decide about a card."""


class Unsaved:
    """The state of a dry run: it begins with what is kept and changes in memory only."""

    def __init__(self, state: State) -> None:
        self._state = state

    def read(self) -> State:
        """Return the state."""
        return self._state

    def save(self, state: State) -> None:
        """Remember the state until the process ends."""
        self._state = state


@dataclass(kw_only=True)
class Daemon:
    """What one daemon works with.

    `agent` tells the routers what serves, `warm` keeps the API's instances, `stopping` is set by a signal.
    """

    policy: Policy
    queries: Queries
    cloud: Cloud
    store: Store
    prometheus: httpx.Client
    alertmanager: httpx.Client | None
    metrics: Metrics
    kill_switch: Path
    stopping: threading.Event
    agent: Agent | None = None
    warm: Warm | None = None
    clock: Callable[[], float] = time.time

    def run(self, interval_seconds: float, *, dry_run: bool = False, once: bool = False) -> None:
        """Lead, or wait to lead, and take turns until told to stop. A dry run neither leads nor changes anything."""
        self.metrics.cap.set(self.policy.spending.cap_usd_per_month)
        if dry_run:
            dry = Unsaved(self.store.peek())
            self._turns(lambda: self._turn(dry, dry_run=True), interval_seconds, once)
            return
        while not self.stopping.is_set():
            try:
                self.store.lead()
                self.metrics.leader.set(1)
                self._turns(lambda: self._turn(self.store), interval_seconds, once)
                return
            except NotLeaderError as error:
                self.metrics.leader.set(0)
                logger.info("%s; waiting", error)
                if once:
                    raise
                self.stopping.wait(interval_seconds)
            finally:
                self.store.close()

    def _turns(self, take: Callable[[], Decision], interval_seconds: float, once: bool) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            decision = take()
            logger.info("%s", "; ".join(decision.reasons))
            if once:
                return
            self.stopping.wait(max(0.0, interval_seconds - (time.monotonic() - began)))

    def _turn(self, keeper: Store | Unsaved, *, dry_run: bool = False) -> Decision:
        observation = observe(self.prometheus, self.queries)
        observation = observation.model_copy(update={"killed": self.kill_switch.exists()})
        now = self.clock()
        if self.warm is not None and observation.headroom_usd is not None:
            left = observation.headroom_usd - kept_usd(keeper.read().bounds, self.warm.policy, now)
            observation = observation.model_copy(update={"headroom_usd": left})
        decision = turn(keeper, self.cloud, observation, self.policy, now, self._alert, dry_run=dry_run)
        self.metrics.took(decision, now)
        if self.agent is not None and not dry_run:
            self.agent.tell(decision.state)
        if self.warm is not None:
            kept = self.warm.turn(keeper, self.prometheus, now, killed=observation.killed, dry_run=dry_run)
            logger.info("Cloud Run: %s", kept.reason)
        return decision

    def _alert(self, buy: BuyCard) -> None:
        """Tell Alertmanager that a card is due; the same labels are the same alert, however often it is told."""
        text = (
            f"workers do not bridge the load: a {buy.card} costs about {buy.usd:,.0f} USD and takes about "
            f"{buy.lead_days} days"
        )
        logger.warning("%s", text)
        if self.alertmanager is None:
            return
        alert = {
            "labels": {"alertname": PURCHASE_DUE, "severity": "warning", "component": "autoscaler", "owner": "finance"},
            "annotations": {"summary": text},
        }
        try:
            self.alertmanager.post("/api/v2/alerts", json=[alert], timeout=TIMEOUT_SECONDS).raise_for_status()
        except httpx.HTTPError as error:
            logger.warning("Alertmanager was not told: %s", error)
