"""A surge on a stage that runs: a spot worker comes as a container, serves through Cloudflare's stand-in, and goes.

The autoscaler's container decides by what its Prometheus saw and asks Compute Engine's stand-in, whose machines are
Docker Engines here. Its first month counts as spent: an empty state is written as its runbook says, which is true, for
no worker ever ran in this world.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from autoscaler.policy import Policy, Window
from autoscaler.settings import Settings
from localtier.experiments.surge_episode import Asked, Case, Episode, Sample
from localtier.spot.events import MachineEvent

ANSWERS_BEFORE = 3
"""So many answers has a worker given before its machine is taken back."""
POLL_SECONDS = 1.0
SURGE_SHARE = 1.25
"""How much of the owners' cache a surge asks for: what does not fit waits."""
TOKENS = 700
PROMPT_TOKENS = 40
HURRIED_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long a surge asks for more, and how long the whole may take."""

    surge_seconds: float
    limit_seconds: float


PLANNED = Times(surge_seconds=300, limit_seconds=2_400)
HURRIED = Times(surge_seconds=150, limit_seconds=900)


class Surging(Protocol):
    """A surge that runs, or is over."""

    @property
    def over(self) -> bool:
        """Tell whether all that was asked has ended."""


class Stage(Protocol):
    """A running stage as a surge needs it."""

    def now(self) -> float:
        """Return the time (seconds since 1970)."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def rested(self) -> bool:
        """Tell whether the autoscaler's last change is long enough ago for the next one."""

    def sample(self) -> Sample:
        """Look at everything once."""

    def surging(self, seconds: float) -> AbstractContextManager[Surging]:
        """Let a surge ask for so long."""

    def take_back(self) -> None:
        """Let the cloud take the machine back that serves."""

    def events(self, since: float) -> tuple[MachineEvent, ...]:
        """Return what happened to machines."""

    def decided(self) -> dict[str, float]:
        """Return when the autoscaler decided on each worker that it remembers."""

    def asked(self, since: float) -> Asked:
        """Return what users asked and did not get."""

    def left(self) -> tuple[str, ...]:
        """Return what is left of workers: on hosts, in the cloud's list, in the autoscaler's state."""


def users_of(policy: Policy) -> int:
    """Return how many users at once ask for more than the owners' cache holds."""
    mean_tokens = PROMPT_TOKENS + TOKENS / 2
    return round(SURGE_SHARE * policy.owned_kv_tokens / mean_tokens)


def hurried(settings: Settings) -> Settings:
    """Return settings in which a worker may go as soon as it is not needed; when one comes is as planned."""
    policy = settings.policy
    life = policy.life.model_copy(update={"min_serving_seconds": HURRIED_SECONDS})
    changes = {
        "down_window": Window(agreeing=3, samples=4),
        "up_cooldown_seconds": HURRIED_SECONDS,
        "down_cooldown_seconds": HURRIED_SECONDS,
        "life": life,
    }
    return settings.model_copy(update={"policy": policy.model_copy(update=changes)})


def play_case(stage: Stage, case: Case, times: Times, tell: Callable[[str], None]) -> Episode:
    """Play one surge until it is over and nothing of its workers is left, or its time is over."""
    while not stage.rested():
        stage.sleep(POLL_SECONDS)
    began, samples, decided = stage.now(), [stage.sample()], dict[str, float]()
    taken = False
    with stage.surging(times.surge_seconds) as surge:
        while not (surge.over and _at_rest(samples[-1])) and stage.now() - began < times.limit_seconds:
            stage.sleep(POLL_SECONDS)
            samples.append(stage.sample())
            decided |= stage.decided()
            _tell_changes(samples[-2], samples[-1], tell)
            if case is Case.TAKEN_BACK and not taken and samples[-1].answered - samples[0].answered >= ANSWERS_BEFORE:
                stage.take_back()
                taken = True
    return Episode(
        case=case,
        samples=tuple(samples),
        events=stage.events(began),
        decided=decided,
        asked=stage.asked(began),
        left=stage.left(),
    )


def _at_rest(sample: Sample) -> bool:
    return not sample.machines and not sample.remembered


def _tell_changes(before: Sample, now: Sample, tell: Callable[[str], None]) -> None:
    if (before.machines, before.remembered, before.weight) != (now.machines, now.remembered, now.weight):
        tell(
            f"{now.waiting:.0f} wait, {now.usage:.0%} of the cache; engines on {len(now.machines)} machines, "
            f"{len(now.remembered)} workers counted, weight {now.weight:.0f}, {now.answered} answers of workers"
        )


def wait_until(what: Callable[[], bool], seconds: float, poll_seconds: float = POLL_SECONDS) -> bool:
    """Wait until something is so; return whether it came to be in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(poll_seconds)
    return True
