"""Fail-over from the servers' real Patroni cluster to a restored PostgreSQL in the cloud's place, and the way back.

The steps are those of `dreamseed failover`, run by its own journal. The client is a writer that holds one address at a
time, as the API does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamseed.failover import Action, Direction, journal_file
from localtier.drills.cluster import LEAD_SECONDS, POLL_SECONDS, Cluster
from localtier.drills.crossing import Both, Crossing, Doing
from localtier.drills.database import Database
from localtier.drills.drill import Settings, Tell
from localtier.drills.failback import back_actions
from localtier.drills.points import archive_now
from localtier.drills.sandbox import Sandbox, wait_for
from localtier.drills.writer import Writer, lost_seconds, read

CLOUD_PORT = 5433
WRITE_SECONDS = 5.0
CLIENTS_SECONDS = 60.0
STAYS_SECONDS = 30.0
"""Longer than Patroni's lease: whoever would lead again has done so by then."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to be crossed.

    `before` is what happens, or is done, before its steps; `refuses` waits until an old primary takes no writes that
    was not fenced by then; `again` starts it anew and tells whether it takes any.
    """

    what: str
    direction: Direction
    actions: Mapping[str, Action]
    before: Callable[[], None]
    refuses: Callable[[], None] | None
    again: Callable[[], bool]


def run_failover(sandbox: Sandbox, settings: Settings, etcd: Path, planned: bool, tell: Tell) -> tuple[Crossing, ...]:
    """Fail over while clients write, planned or after the server lost its power, then back; return what each cost."""
    both = _begin(sandbox, settings, etcd, tell)
    both.writer.start()
    time.sleep(WRITE_SECONDS)
    # What follows is not archived when the power goes: the unplanned way loses something that can be measured.
    archive_now(both.cluster.database)
    time.sleep(WRITE_SECONDS)
    there = _cross(both, _planned(both) if planned else _unplanned(both))
    back = _cross(both, _back(both))
    both.writer.stop()
    return there, back


def _begin(sandbox: Sandbox, settings: Settings, etcd: Path, tell: Tell) -> Both:
    tell(f"the servers' cluster of {sandbox.plan.name}: etcd, Patroni and the backup script as planned")
    cluster = Cluster(sandbox=sandbox, server=sandbox.server("servers"), etcd=etcd)
    cluster.create()
    cluster.wait_for_backup()
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


def _cross(both: Both, way: Way) -> Crossing:
    """Cross one way while clients write, and measure it: every way in the same manner."""
    both.gone_at = None
    way.before()
    both.cross(journal_file(both.folder, both.sandbox.plan.name, way.direction), way.direction, way.actions)
    kept = both.restored_rows
    wait_for("a client's first row on the other side", lambda: both.writer.last > kept, CLIENTS_SECONDS)
    gap = both.writer.acknowledged[kept].at - both.gone
    refused = _seconds(way.refuses) if way.refuses else None
    again = way.again()
    both.writer.stop()
    found = read(both.leading, both.seed)
    both.writer.resume()
    return Crossing(
        what=way.what,
        confirmed_rows=len(both.confirmed),
        lost_rows=len(both.confirmed) - kept,
        rpo_seconds=lost_seconds(both.confirmed, kept, both.gone),
        gap_seconds=gap,
        rows_after=both.writer.last - kept,
        damaged_rows=len(found.missing) + len(found.changed) + max(0, both.writer.last - found.last),
        old_refuses_after_seconds=refused,
        old_refuses_after_restart=not again,
    )


def _unplanned(both: Both) -> Way:
    """The server loses its power; the cloud takes over; the server comes back."""

    def without_power() -> None:
        both.cluster.server.kill()
        both.clients_are_cut_off()

    def back_with_power() -> None:
        both.cluster.power_on()
        _wait_for_the_fence(both)

    return Way(
        what="unplanned: the server lost its power",
        direction=Direction.START,
        actions=_start_actions(both),
        before=without_power,
        refuses=back_with_power,
        again=lambda: _servers_write_again(both),
    )


def _planned(both: Both) -> Way:
    """The servers are to be worked on: fenced while they live, and everything is archived before the restore."""

    def fenced() -> None:
        both.clients_are_cut_off()
        archive_now(both.cluster.database)
        both.mark()
        _wait_for_the_fence(both)

    return Way(
        what="planned",
        direction=Direction.START,
        actions=_start_actions(both),
        before=fenced,
        refuses=None,
        again=lambda: _servers_write_again(both),
    )


def _back(both: Both) -> Way:
    """The servers are well: they follow the cloud's database while clients write to it, and then lead again."""
    return Way(
        what="back",
        direction=Direction.BACK,
        actions=back_actions(both),
        before=_nothing,
        refuses=None,
        again=lambda: _cloud_writes_again(both),
    )


def _start_actions(both: Both) -> dict[str, Action]:
    def activate() -> None:
        if not both.cloud.takes_writes():
            both.cloud.must_restore()
        both.send_to("cloud")

    def verified() -> bool:
        return both.cloud.takes_writes() and both.cloud.replayed_to() > 0 and not both.cluster.database.takes_writes()

    return {
        "examine": Doing(lambda: bool(both.cloud.info()["backup"]), _nothing),
        "fence": Doing(both.marked, both.mark),
        "activate": Doing(lambda: both.address == "cloud" and both.cloud.takes_writes(), activate),
        "verify": Doing(verified, _nothing),
    }


def _seconds(act: Callable[[], None]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _nothing() -> None:
    """Do nothing: the way needs none of it."""


def _wait_for_the_fence(both: Both) -> None:
    wait_for("the old primary to be fenced", both.cluster.is_fenced, LEAD_SECONDS, POLL_SECONDS)


def _servers_write_again(both: Both) -> bool:
    """Take the old primary's power away once more, and tell whether it leads when it is back."""
    both.cluster.server.kill()
    both.cluster.power_on()
    return _writes(both.cluster.database) or not both.cluster.is_fenced()


def _cloud_writes_again(both: Both) -> bool:
    """Start the restored database once more, as its machine does when it boots, and tell whether it leads."""
    both.cloud.start_as_found()
    return _writes(both.cloud)


def _writes(database: Database) -> bool:
    """Tell whether a database takes a write within the time in which it would lead again."""
    until = time.monotonic() + STAYS_SECONDS
    while time.monotonic() < until:
        if database.takes_writes():
            return True
        time.sleep(POLL_SECONDS)
    return False
