"""The window of a promotion: what it may make fire is silent until it is over, also when it fails."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.silences import close_silence, open_silence, touched_alerts
from dreamseed.planning import ports
from dreamseed.planning.hosts import servers
from dreamseed.planning.stage_plan import StagePlan
from localtier.network import ask_outside
from localtier.tier import Tier

AUTHOR = "dreamseed local"
MINUTES = 60
"""If nobody closes it. A promotion took at most some minutes (docs/reference/local-runs.md)."""


def alertmanager_url(plan: StagePlan) -> str:
    """Return where a stage's Alertmanager listens."""
    return f"http://{servers(plan.hosts)[0].address}:{ports.ALERTMANAGER}"


def opened(tier: Tier, old: StagePlan, new: StagePlan, alerts: Collection[str]) -> str:
    """Open a silence over `alerts` in the old stage's Alertmanager; return its id. Raises DreamSeedError, OSError."""

    def ask() -> str:
        reason = f"{old.name} → {new.name}"
        return open_silence(alertmanager_url(old), alerts, author=AUTHOR, reason=reason, minutes=MINUTES)

    return ask_outside(tier.world(old), ask)


def close(tier: Tier, old: StagePlan, identifier: str) -> None:
    """Close a silence in the old stage's Alertmanager. Raises DreamSeedError, OSError."""
    ask_outside(tier.world(old), lambda: close_silence(alertmanager_url(old), identifier))


@contextmanager
def window(tier: Tier, target: str) -> Iterator[None]:
    """Hold a silence open while `tier` goes from the stage that stands to `target`; none where it goes nowhere.

    A promotion is not kept back by an Alertmanager that does not answer: what could not be done is told.
    """
    standing = tier.standing
    if standing is None or standing.stage == target:
        yield
        return
    old, new = tier.plan(standing.stage), tier.plan(target)
    identifier = _opened(tier, old, new)
    try:
        yield
    finally:
        if identifier is not None:
            _close(tier, old, identifier)


def _opened(tier: Tier, old: StagePlan, new: StagePlan) -> str | None:
    alerts = touched_alerts(old, new)
    if not alerts:
        return None
    try:
        return opened(tier, old, new, alerts)
    except (DreamSeedError, OSError) as error:
        _tell(tier, f"No silence is open meanwhile: {error}")
        return None


def _close(tier: Tier, old: StagePlan, identifier: str) -> None:
    try:
        close(tier, old, identifier)
    except (DreamSeedError, OSError) as error:
        _tell(tier, f"The silence {identifier} ends by itself, {MINUTES} minutes after it began: {error}")


def _tell(tier: Tier, text: str) -> None:
    tier.console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
