"""What was seen of one surge, when each thing of it happened, and what of it must not be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from autoscaler.policy import Policy
from autoscaler.records import Observation, Verdict
from autoscaler.signals import judge
from autoscaler.spending import HOUR
from localtier.spot.events import ENDS, MachineEvent, What

CUT_STREAM = "truncated stream"
"""How the load names a streamed answer that ended before its end (`localtier.load.chat`)."""
CUT_SECONDS = 45.0
"""After a machine is taken back, a stream that it was writing may be cut so late: its notice, and the tunnel's."""


class Case(StrEnum):
    """How the worker goes: it drains when the queue has fallen, or its machine is taken back in the middle."""

    DRAINED = "the queue falls"
    TAKEN_BACK = "the machine is taken back"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at everything. `usage` is the mean share of the engines' caches; `answered` counts since their start.

    `machines` are those whose engine runs on a host; `remembered` are the workers that the autoscaler counts.
    """

    time: float
    usage: float
    running: float
    waiting: float
    machines: frozenset[str]
    remembered: frozenset[str]
    answered: int
    weight: float
    month_usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What users asked: the surge's generations, and chats, by when each was answered, or failed and how."""

    generations: int
    generations_failed: int
    chats_answered: tuple[float, ...] = ()
    chats_failed: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A surge from its begin until nothing is left of its workers, or nobody waited for it any longer."""

    case: Case
    samples: tuple[Sample, ...]
    events: tuple[MachineEvent, ...]
    decided: dict[str, float]
    asked: Asked
    left: tuple[str, ...]

    def crossed_at(self, policy: Policy) -> float | None:
        """Return when the signals first asked for one more worker."""
        return next((one.time for one in self.samples if _says_up(one, policy)), None)

    def first(self, what: What) -> float | None:
        """Return when something first happened to a machine."""
        return next((one.time for one in self.events if one.what is what), None)

    @property
    def ended_at(self) -> float | None:
        """Return when the first machine was told to go: to drain, or taken back."""
        return next((one.time for one in self.events if one.what in ENDS | {What.DRAINING}), None)

    @property
    def answered_at(self) -> float | None:
        """Return when the routers first had an answer from a worker."""
        before = self.samples[0].answered if self.samples else 0
        return next((one.time for one in self.samples if one.answered > before), None)

    @property
    def answers(self) -> int:
        """Return how many answers the routers had from workers."""
        return max((one.answered for one in self.samples), default=0) - (
            self.samples[0].answered if self.samples else 0
        )

    @property
    def most_machines(self) -> int:
        """Return how many machines there were at once, at most."""
        return max((len(one.machines) for one in self.samples), default=0)

    @property
    def counted_usd(self) -> float:
        """Return what the autoscaler's own book grew by."""
        return self.samples[-1].month_usd - self.samples[0].month_usd if self.samples else 0.0

    def billed_usd(self, usd_per_hour: float) -> float:
        """Return what the machines cost from when they ran until they were gone."""
        names = dict.fromkeys(one.machine for one in self.events)
        return sum(_seconds(self.events, name) for name in names) / HOUR * usd_per_hour


def lost(episode: Episode) -> tuple[int, int]:
    """Return how many requests failed, and how many more were streams that a machine which was taken back cut.

    Nothing else may be lost: what was not answered in part is tried again on another engine.
    """
    taken = [one.time for one in episode.events if one.what is What.PREEMPTED]
    cut = sum(
        error == CUT_STREAM and any(0 <= time - at <= CUT_SECONDS for at in taken)
        for time, error in episode.asked.chats_failed
    )
    return episode.asked.generations_failed + len(episode.asked.chats_failed) - cut, cut


def problems(episode: Episode, policy: Policy, usd_per_hour: float) -> Iterator[str]:
    """Return what is wrong with what a surge brought, each with the case."""
    for problem in (
        *_coming(episode, policy),
        *_going(episode),
        *_limits(episode, policy, usd_per_hour),
    ):
        yield f"{episode.case}: {problem}"


def _coming(episode: Episode, policy: Policy) -> Iterator[str]:
    if episode.crossed_at(policy) is None:
        yield "the load never passed the threshold, so nothing was tried"
    elif not episode.events:
        yield "the threshold was passed and no worker was asked for"
    elif episode.first(What.SERVING) is None:
        yield "no worker ever served"
    elif not any(one.weight > 0 for one in episode.samples):
        yield "a worker served and the routers gave it no weight"
    elif episode.answered_at is None:
        yield "a worker served and answered no request"
    yield from (f"{one.machine} failed: {one.detail}" for one in episode.events if one.what is What.FAILED)


def _going(episode: Episode) -> Iterator[str]:
    failed, _ = lost(episode)
    if failed:
        errors = ", ".join(dict.fromkeys(error for _, error in episode.asked.chats_failed))
        yield f"{failed} requests were lost{f' ({errors})' if errors else ''}"
    ended_at, gone_at = episode.ended_at, episode.first(What.GONE)
    if ended_at and gone_at and not any(ended_at <= time <= gone_at for time in episode.asked.chats_answered):
        yield "no chat was answered while the worker went, so none could be lost"
    if episode.case is Case.TAKEN_BACK and episode.first(What.PREEMPTED) is None:
        yield "no machine was taken back, so nothing was tried"
    for name in _undrained(episode.events):
        yield f"{name} was deleted while it served, before it had drained"
    for name in episode.left:
        yield f"{name} is left over"


def _limits(episode: Episode, policy: Policy, usd_per_hour: float) -> Iterator[str]:
    if episode.most_machines > policy.max_workers:
        yield f"{episode.most_machines} machines at once, {policy.max_workers} may be"
    billed, cap = episode.billed_usd(usd_per_hour), policy.spending.cap_usd_per_month
    if billed > cap:
        yield f"{billed:.2f} USD were spent, {cap:.2f} may be"
    if billed > episode.counted_usd + 1e-6 and not episode.left:
        yield f"{billed:.4f} USD were spent and {episode.counted_usd:.4f} counted"


def _undrained(events: Iterable[MachineEvent]) -> Iterator[str]:
    """Yield the machines that were deleted after they served without having drained."""
    seen: dict[str, set[What]] = {}
    for one in events:
        before = seen.setdefault(one.machine, set())
        if one.what is What.DELETED and What.SERVING in before and What.DRAINED not in before:
            yield one.machine
        before.add(one.what)


def _seconds(events: Iterable[MachineEvent], name: str) -> float:
    own = {one.what: one.time for one in events if one.machine == name}
    return own[What.GONE] - own[What.RUNNING] if {What.GONE, What.RUNNING} <= own.keys() else 0.0


def _says_up(sample: Sample, policy: Policy) -> bool:
    seen = Observation(
        taken_at=sample.time,
        kv_cache_usage=sample.usage,
        running=sample.running,
        waiting=sample.waiting,
        first_token_seconds=0.0,
    )
    return judge(seen, policy, sample.time)[0] is Verdict.UP
