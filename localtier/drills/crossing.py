"""Both sides of a fail-over: where the clients are sent, the mark that fences, and what one crossing cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dreamseed.failover import Action, Direction, perform, steps
from dreamseed.journal import opened
from dreamseed.planning.recovery import fence_content, fence_mark
from localtier.drills.cluster import Cluster
from localtier.drills.database import SHARD, Database
from localtier.drills.drill import Tell
from localtier.drills.sandbox import Sandbox
from localtier.drills.server import DrillError
from localtier.drills.writer import Acknowledged, Writer, read

RCLONE = ("rclone", "--config", "/etc/pgbackrest/rclone.conf")


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """One way: rows confirmed before it and lost by it, RPO and the clients' gap in seconds, and what became of both.

    `rows_after` were confirmed by the new primary, `damaged_rows` are confirmed and not there, or not as written.
    `old_refuses_after_seconds` is null where the old primary was fenced before clients were sent to the new one.
    """

    what: str
    confirmed_rows: int
    lost_rows: int
    rpo_seconds: float
    gap_seconds: float
    rows_after: int
    damaged_rows: int
    old_refuses_after_seconds: float | None
    old_refuses_after_restart: bool


@dataclass(kw_only=True)
class Both:
    """Both sides, and where the clients are sent."""

    sandbox: Sandbox
    seed: int
    tell: Tell
    cluster: Cluster
    writer: Writer
    cloud: Database
    folder: Path
    address: str = "servers"
    restored_rows: int = 0
    """How many rows the side held that clients are sent to, before they were."""
    gone_at: float | None = None
    confirmed: tuple[Acknowledged, ...] = ()
    """What was confirmed to the clients when they had no database any more, at `gone_at` of the monotonic clock."""

    @property
    def leading(self) -> Database:
        """Return the database that clients are sent to."""
        return self.cloud if self.address == "cloud" else self.cluster.database

    def cross(self, path: Path, direction: Direction, actions: Mapping[str, Action]) -> None:
        """Perform the steps of one way, interrupted after each step once and taken up again by the journal."""
        plan = self.sandbox.plan
        known = steps(plan, direction)
        for count in range(1, len(known) + 1):
            # A run that was cut off after each step: the next one begins anew with the same journal.
            with opened(path, lambda: datetime.now(UTC)) as journal:
                perform(known[:count], actions, journal, plan.name, direction, self.tell)

    @property
    def gone(self) -> float:
        """Return when the clients were cut off. Raises `DrillError` where a way never did."""
        if self.gone_at is None:
            raise DrillError("a way to the other side was crossed without cutting the clients off from this one")
        return self.gone_at

    def clients_are_cut_off(self) -> None:
        """Cut the clients off from the side that they have, once a way; what was confirmed to them by then is kept."""
        if self.gone_at is None:
            self.gone_at = time.monotonic()
            self.writer.stop()
            self.confirmed = tuple(self.writer.acknowledged)
            self.tell(f"the clients are cut off, {len(self.confirmed):,} rows were confirmed to them")

    def send_to(self, address: str) -> None:
        """Send the clients to one side: they go on after the last row there, and write again what was lost."""
        self.address = address
        self.restored_rows = read(self.leading, self.seed).last
        del self.writer.acknowledged[self.restored_rows :]
        self.writer.database = self.leading
        self.writer.resume()

    def mark(self) -> None:
        """Put the mark into the object store, from the cloud's side, as the servers may be gone."""
        text = fence_content("127.0.0.1", self.cloud.port)
        self.cloud.server.must("sh", "-c", f"printf %s '{text}' | {' '.join(RCLONE)} rcat {self._where}")

    def marked(self) -> bool:
        """Tell whether the mark lies there."""
        done = self.cloud.server.run(*RCLONE, "cat", self._where)
        return done.returncode == 0 and bool(done.stdout)

    def unmark(self) -> None:
        """Take the mark away."""
        self.cloud.server.must(*RCLONE, "deletefile", self._where)

    @property
    def _where(self) -> str:
        return fence_mark(self.sandbox.plan.config, SHARD)


@dataclass(frozen=True)
class Doing:
    """A step's action, of two functions."""

    proof: Callable[[], bool]
    act: Callable[[], None]

    def holds(self) -> bool:
        """Tell whether it is so."""
        return self.proof()

    def do(self) -> None:
        """Bring it about."""
        self.act()
