"""What surges brought, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from autoscaler.policy import Policy
from localtier.experiments.report import NOTHING
from localtier.experiments.surge import users_of
from localtier.experiments.surge_episode import Episode, lost
from localtier.spot.events import ENDS, What


@dataclass
class Found:
    """Everything that was found; `policy` is the autoscaler's, once it is known."""

    policy: Policy | None = None
    episodes: list[Episode] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def users(self) -> int:
        """Return how many users a surge has."""
        return users_of(self.policy) if self.policy else 0

    @property
    def usd_per_hour(self) -> float:
        """Return what an hour of a machine costs at most, by the price book."""
        return max((zone.usd_per_hour or 0.0 for zone in self.policy.zones), default=0.0) if self.policy else 0.0


def episode_table(found: Found) -> Table:
    """Return a column for each surge; times are seconds after the threshold was passed."""
    table = Table(title=f"A surge of {found.users} users; seconds count from when the threshold was passed")
    table.add_column("")
    for one in found.episodes:
        table.add_column(one.case, justify="right")
    for row in zip(*(list(_rows(one, found)) for one in found.episodes), strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    return table


def _rows(episode: Episode, found: Found) -> Iterator[tuple[str, str]]:
    moments = moments_of(episode, found)
    yield "requests that waited, at most", f"{max(one.waiting for one in episode.samples):,.0f}"
    yield "of the engines' cache in use, at most", f"{max(one.usage for one in episode.samples):.0%}"
    for name, seconds in moments.items():
        yield name, NOTHING if seconds is None else f"{seconds:.0f}"
    failed, cut = lost(episode)
    asked = episode.asked
    yield "machines asked for, at most at once", f"{len(machines_of(episode))}, {episode.most_machines}"
    yield "answers of workers", f"{episode.answers:,}"
    yield "generations of the surge", f"{asked.generations:,}"
    yield "chats of other users", f"{len(asked.chats_answered):,}"
    yield "requests lost", f"{failed}"
    yield "streams cut as the machine was taken back", f"{cut}"
    yield "USD, from running until gone", f"{episode.billed_usd(found.usd_per_hour):.4f}"
    yield "USD that the autoscaler counted", f"{episode.counted_usd:.4f}"


def machines_of(episode: Episode) -> tuple[str, ...]:
    """Return the machines of a surge in the order in which they were asked for."""
    return tuple(dict.fromkeys(one.machine for one in episode.events))


def moments_of(episode: Episode, found: Found) -> dict[str, float | None]:
    """Return when each thing happened to the first worker, in seconds after the threshold was passed."""
    names = machines_of(episode)
    own = {one.what: one.time for one in reversed(episode.events) if names and one.machine == names[0]}
    crossed = episode.crossed_at(found.policy) if found.policy else None
    ended = next((own[what] for what in ENDS if what in own), None)
    weighed = next((one.time for one in episode.samples if one.weight > 0), None)
    moments = {
        "the autoscaler decides": episode.decided.get(names[0]) if names else None,
        "a machine is asked for": own.get(What.ASKED),
        "its engine and connector run": own.get(What.SERVING),
        "every router counts it": weighed,
        "first answer of a worker": episode.answered_at,
        "told to drain": own.get(What.DRAINING),
        "has drained": own.get(What.DRAINED),
        "deleted or taken back": ended,
        "gone": own.get(What.GONE),
    }
    return {name: None if at is None or crossed is None else round(at - crossed, 1) for name, at in moments.items()}


def episode_content(episode: Episode, found: Found) -> dict[str, Any]:
    """Return a surge for JSON."""
    failed, cut = lost(episode)
    return {
        "case": episode.case,
        "figures": dict(_rows(episode, found)),
        "seconds": moments_of(episode, found),
        "lost": failed,
        "cut": cut,
        "failed chats": [error for _, error in episode.asked.chats_failed],
        "events": [{"time": one.time, "machine": one.machine, "what": one.what} for one in episode.events],
        "left": list(episode.left),
    }
