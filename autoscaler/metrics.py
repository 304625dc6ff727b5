"""The autoscaler's own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from autoscaler.records import Decision, Phase, Verdict
from autoscaler.spending import committed_usd


class Metrics:
    """What the daemon exports; a follower exports that it does not lead, and the rest as it was."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "edu_autoscaler"
        self.leader = Gauge(f"{prefix}_leader", "1 while this daemon leads.", registry=registry)
        self.succeeded_at = Gauge(
            f"{prefix}_last_success_timestamp_seconds",
            "When a turn last had sound signals and the cloud's list.",
            registry=registry,
        )
        self._workers = Gauge(f"{prefix}_workers", "Workers by phase.", ["phase"], registry=registry)
        self._spent = Gauge(f"{prefix}_month_usd", "USD of this month's workers that are gone.", registry=registry)
        self._committed = Gauge(f"{prefix}_committed_usd", "USD of workers if each runs to its end.", registry=registry)
        self.cap = Gauge(f"{prefix}_cap_usd", "USD that a month's workers may cost.", registry=registry)
        self._paused = Gauge(f"{prefix}_paused", "1 while none is launched since launches failed.", registry=registry)
        self._verdicts = Counter(f"{prefix}_verdicts", "Samples by what they say.", ["verdict"], registry=registry)
        self._actions = Counter(f"{prefix}_actions", "Actions by kind.", ["kind"], registry=registry)
        for verdict in Verdict:
            self._verdicts.labels(verdict)

    def took(self, decision: Decision, now: float) -> None:
        """Export a turn."""
        state = decision.state
        for phase in Phase:
            self._workers.labels(phase).set(sum(one.phase is phase for one in state.workers))
        self._spent.set(state.ledger.month_usd)
        self._committed.set(committed_usd(state.workers))
        self._paused.set(now < state.broken_until)
        self._verdicts.labels(state.verdicts[-1]).inc()
        for action in decision.actions:
            self._actions.labels(action.kind).inc()
        if decision.sound:
            self.succeeded_at.set(now)
