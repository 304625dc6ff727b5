"""The way back: the servers' Patroni follows the cloud's database, leads when that one is stopped and fenced."""

from __future__ import annotations

import re
from contextlib import suppress

import psycopg

from dreamseed.failover import Action
from dreamseed.planning.secrets import GeneratedSecret
from localtier.drills.crossing import Both, Doing
from localtier.drills.database import lsn
from localtier.drills.sandbox import INSTANCE, wait_for
from localtier.drills.server import DrillError

FOLLOW_SECONDS = 180.0
ARRIVE_SECONDS = 120.0
ASIDE = ".aside"
"""Ends the name of the old primary's data while its copy of the new one is in its place."""


def back_actions(both: Both) -> dict[str, Action]:
    """Return what each step of the way back does in a drill. The clients write until `quiet`."""

    def release() -> None:
        if both.marked():
            both.unmark()
        both.cluster.configure({"standby_cluster": None})
        wait_for("the servers to lead", both.cluster.database.takes_writes, ARRIVE_SECONDS)

    return {
        # Once the new primary is stopped nobody streams from it: that all has arrived is the proof then.
        "follow": Doing(lambda: _follows(both) or _arrived(both), lambda: _copy(both)),
        "quiet": Doing(lambda: _arrived(both), lambda: _quiet(both)),
        "release": Doing(lambda: not both.marked() and both.cluster.database.takes_writes(), release),
        "deactivate": Doing(lambda: both.address == "servers", lambda: both.send_to("servers")),
        "verify": Doing(lambda: _backed_up(both), lambda: _back_up(both)),
    }


def _copy(both: Both) -> None:
    """Put a copy of the new primary in place of the old one's data, moved aside, and start Patroni on it."""
    data, server = both.cluster.database.data, both.cluster.server
    both.cluster.stop_member()
    # A run that was cut off left half a copy; what was there before is aside already.
    server.must("sh", "-c", f"if [ -e {data}{ASIDE} ]; then rm -rf {data}; else mv {data} {data}{ASIDE}; fi")
    password = both.sandbox.secrets[GeneratedSecret.POSTGRES_REPLICATION]
    source = ("-h", "127.0.0.1", "-p", str(both.cloud.port), "-U", "replicator")
    server.must("env", f"PGPASSWORD={password}", "pg_basebackup", *source, "-D", data, "--checkpoint=fast")
    both.cluster.start_member()
    try:
        wait_for("the servers to follow", lambda: _follows(both), FOLLOW_SECONDS, 1.0)
    except DrillError as error:
        raise DrillError(f"{error}\n{both.cluster.log}") from error


def _follows(both: Both) -> bool:
    """Tell whether Patroni's member streams from the new primary, from a copy of it.

    A fenced primary may stream without one and still be another database: both may have taken the same new timeline.
    """
    copied = (both.cluster.server.root / f"{both.cluster.database.data}{ASIDE}".lstrip("/")).exists()
    streaming = "select count(*) from pg_stat_replication where application_name = %s and state = 'streaming'"
    with suppress(psycopg.Error):
        return copied and both.cluster.is_fenced() and both.cloud.value(streaming, (INSTANCE,)) == 1
    return False


def _quiet(both: Both) -> None:
    """Stop the new primary for good: whatever starts it again finds it a standby."""
    both.clients_are_cut_off()
    both.cloud.server.must("touch", f"{both.cloud.data}/standby.signal")
    both.cloud.stop()
    wait_for("the servers to replay the last record", lambda: _arrived(both), ARRIVE_SECONDS)


def _arrived(both: Both) -> bool:
    """Tell whether the new primary is stopped and fenced, and the servers hold all it wrote."""
    server = both.cloud.server
    told = server.run("pg_controldata", "-D", both.cloud.data).stdout
    last = re.search(r"Latest checkpoint location:\s+(\S+)", told)
    fenced = server.run("test", "-e", f"{both.cloud.data}/standby.signal").returncode == 0
    if last is None or not fenced or not re.search(r"cluster state:\s+shut down", told):
        return False
    with suppress(psycopg.Error):
        return both.cluster.database.replayed_to() > lsn(last[1])
    return False


def _back_up(both: Both) -> None:
    """Let the stage's script take a full backup, and examine the archive as each day."""
    both.cluster.forget_backup()
    both.cluster.wait_for_backup()
    both.cluster.server.must("sh", "/etc/dreamseed/backup.sh", "examine")


def _backed_up(both: Both) -> bool:
    """Tell whether the newest backup began on the timeline that the servers lead on now."""
    timeline = str(both.cluster.database.value("select pg_walfile_name(pg_current_wal_lsn())"))[:8]
    backups = both.cluster.database.info()["backup"]
    return bool(backups) and str(backups[-1]["archive"]["start"])[:8] == timeline
