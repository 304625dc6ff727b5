"""Fail-over from the servers' real Patroni cluster to a restored PostgreSQL in the cloud's place.

The steps are those of `dreamseed failover`, run by its own journal. The client is a writer that holds one address at a
time, as the API does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamseed.failover import Action, Direction, Journal, perform, steps
from dreamseed.planning.recovery import fence_mark
from localtier.drills.cluster import LEAD_SECONDS, POLL_SECONDS, Cluster
from localtier.drills.database import SHARD, Database
from localtier.drills.drill import Settings, Tell
from localtier.drills.points import archive_now
from localtier.drills.sandbox import Sandbox, wait_for
from localtier.drills.writer import Writer, lost_seconds, read

CLOUD_PORT = 5433
WRITE_SECONDS = 5.0
STAYS_SECONDS = 30.0
"""Longer than Patroni's lease: whoever would lead again has done so by then."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """One way: rows confirmed before it, rows lost, RPO and the clients' gap in seconds, and what it was."""

    what: str
    confirmed_rows: int
    lost_rows: int
    rpo_seconds: float
    gap_seconds: float
    old_refuses_after_seconds: float
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

    def cross(self, direction: Direction, actions: Mapping[str, Action], name: str) -> None:
        """Perform the steps of one way, interrupted after each step once and taken up again by the journal."""
        plan = self.sandbox.plan
        journal = Journal(self.folder / f"{name}.json", plan.name, direction)
        known = steps(plan, direction)
        for count in range(1, len(known) + 1):
            # A run that was cut off after each step: the next one begins anew with the same journal.
            perform(known[:count], actions, journal, self.tell)

    def send_to(self, address: str) -> None:
        """Send the clients to one side."""
        self.address = address
        # What was lost is written again: the client goes on after the last row that is there.
        del self.writer.acknowledged[self.restored_rows :]
        self.writer.database = self.cloud if address == "cloud" else self.cluster.database
        self.writer.resume()

    def mark(self, text: str) -> None:
        """Put the mark into the object store, from the cloud's side, as the servers may be gone."""
        where = self.sandbox.filled(fence_mark(self.sandbox.plan.config, SHARD))
        rclone = "rclone --config /etc/pgbackrest/rclone.conf"
        self.cloud.server.must("sh", "-c", f"printf %s '{text}' | {rclone} rcat {where}")

    def marked(self) -> bool:
        """Tell whether the mark lies there."""
        where = fence_mark(self.sandbox.plan.config, SHARD)
        done = self.cloud.server.run("rclone", "--config", "/etc/pgbackrest/rclone.conf", "cat", where)
        return done.returncode == 0 and bool(done.stdout)


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


def run_failover(sandbox: Sandbox, settings: Settings, etcd: Path, planned: bool, tell: Tell) -> Crossing:
    """Fail over while clients write, planned or after the server lost its power; return what it cost."""
    both = _begin(sandbox, settings, etcd, tell)
    both.writer.start()
    time.sleep(WRITE_SECONDS)
    # What follows is not archived when the power goes: the unplanned way loses something that can be measured.
    archive_now(both.cluster.database)
    time.sleep(WRITE_SECONDS)
    crossing = _planned(both) if planned else _unplanned(both)
    both.writer.stop()
    return crossing


def _begin(sandbox: Sandbox, settings: Settings, etcd: Path, tell: Tell) -> Both:
    tell(f"the servers' cluster of {sandbox.plan.name}: etcd, Patroni and the backup script as planned")
    cluster = Cluster(sandbox=sandbox, server=sandbox.server("servers"), etcd=etcd)
    cluster.create()
    mark = cluster.server.root / "var/lib/pgbackrest/last-offsite-full"
    wait_for("the first full backup", mark.exists, 300)
    cloud = Database(sandbox=sandbox, server=sandbox.server("cloud"), port=CLOUD_PORT)
    writer = Writer(database=cluster.database, seed=settings.seed, rows_per_second=settings.rows_per_second)
    return Both(
        sandbox=sandbox,
        seed=settings.seed,
        tell=tell,
        cluster=cluster,
        writer=writer,
        cloud=cloud,
        folder=sandbox.folder / "journals",
    )


def _start_actions(both: Both) -> dict[str, Action]:
    text = json.dumps({"host": "127.0.0.1", "port": CLOUD_PORT})

    def activate() -> None:
        if not _ready(both.cloud):
            both.cloud.must_restore()
        both.restored_rows = read(both.cloud, both.seed).last
        both.send_to("cloud")

    def verified() -> bool:
        return _ready(both.cloud) and both.cloud.replayed_to() > 0 and not both.cluster.takes_writes()

    return {
        "examine": Doing(lambda: bool(both.cloud.info()["backup"]), lambda: None),
        "fence": Doing(both.marked, lambda: both.mark(text)),
        "activate": Doing(lambda: both.address == "cloud" and _ready(both.cloud), activate),
        "verify": Doing(verified, lambda: None),
    }


def _unplanned(both: Both) -> Crossing:
    """The server loses its power; the cloud takes over; the server comes back."""
    both.cluster.server.kill()
    killed_at = time.monotonic()
    both.writer.stop()
    confirmed = both.writer.last
    both.tell(f"the server has lost its power, {confirmed:,} rows were confirmed")
    acknowledged = tuple(both.writer.acknowledged)
    both.cross(Direction.START, _start_actions(both), "unplanned-start")
    gap = time.monotonic() - killed_at
    powered = time.monotonic()
    both.cluster.power_on()
    wait_for("the old primary to be fenced", both.cluster.is_fenced, LEAD_SECONDS, POLL_SECONDS)
    refused = time.monotonic() - powered
    return Crossing(
        what="unplanned: the server lost its power",
        confirmed_rows=confirmed,
        lost_rows=confirmed - both.restored_rows,
        rpo_seconds=lost_seconds(acknowledged, both.restored_rows, killed_at),
        gap_seconds=gap,
        old_refuses_after_seconds=refused,
        old_refuses_after_restart=_refuses_again(both),
    )


def _planned(both: Both) -> Crossing:
    """The servers are to be worked on: fenced while they live, and everything is archived before the restore."""
    began = time.monotonic()
    both.writer.stop()
    confirmed, acknowledged = both.writer.last, tuple(both.writer.acknowledged)
    archive_now(both.cluster.database)
    actions = _start_actions(both)
    both.mark(json.dumps({"host": "127.0.0.1", "port": CLOUD_PORT}))
    wait_for("the old primary to be fenced", both.cluster.is_fenced, LEAD_SECONDS, POLL_SECONDS)
    refused = time.monotonic() - began
    both.cross(Direction.START, actions, "planned-start")
    gap = time.monotonic() - began
    return Crossing(
        what="planned",
        confirmed_rows=confirmed,
        lost_rows=confirmed - both.restored_rows,
        rpo_seconds=lost_seconds(acknowledged, both.restored_rows, began),
        gap_seconds=gap,
        old_refuses_after_seconds=refused,
        old_refuses_after_restart=_refuses_again(both),
    )


def _refuses_again(both: Both) -> bool:
    """Take the old primary's power away once more: it must come back as a standby, and stay one."""
    both.cluster.server.kill()
    both.cluster.power_on()
    until = time.monotonic() + STAYS_SECONDS
    while time.monotonic() < until:
        if both.cluster.takes_writes():
            return False
        time.sleep(POLL_SECONDS)
    return both.cluster.is_fenced()


def _ready(database: Database) -> bool:
    try:
        return database.value("select not pg_is_in_recovery()") is True
    except Exception:  # noqa: BLE001 - whatever keeps it from answering, it takes no writes
        return False
