"""The steps of a fail-over and of the way back, with what each does on a stage.

Two primaries are impossible where it counts. First the old one is fenced by a mark in the object store, which its own
backup container obeys: Patroni then holds the whole cluster as a standby of the new primary, in its own store, so it
stays one when it is started again. Only then are clients sent to the new one, and they have one address at a time. An
old primary that cannot reach the object store archives nothing either, and no client is sent to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dreamseed.errors import PlanError
from dreamseed.planning.cloud_network import restore_address
from dreamseed.planning.recovery import RESTORE_PORT, fence_content, fence_mark, secret_prefix
from dreamseed.planning.services.postgres import plan_instances
from dreamseed.planning.stage_plan import StagePlan


class Direction(StrEnum):
    """Which way."""

    START = "start"
    BACK = "back"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its key, what it does and why it comes where it comes, and what is run on a stage for it."""

    key: str
    what: str
    why: str
    commands: tuple[str, ...]


def steps(plan: StagePlan, direction: Direction) -> tuple[Step, ...]:
    """Return the steps of `plan`. Raises `PlanError` where nothing stands by to fail over to."""
    if plan.recovery is None:
        raise PlanError(
            f"{plan.name} › disaster_recovery › kind",
            "is none: there is nowhere to fail over to",
            "a restore needs a machine in the cloud",
            "kind: landing or standby; until then restore by hand, docs/how-to/restore-a-database.md",
        )
    return _start(plan) if direction is Direction.START else _back(plan)


def _start(plan: StagePlan) -> tuple[Step, ...]:
    cloud = str(restore_address(plan.config))
    mark = fence_content(cloud, RESTORE_PORT)
    backup = "docker exec pg-1-1-backup pgbackrest --config=/etc/pgbackrest/offsite.conf --stanza=shard-1"
    return (
        Step(
            key="examine",
            what="See that the archive holds a whole chain of backups, and how old its end is",
            why="what is not there cannot be restored, and its age is what will be lost",
            commands=(f"{backup} info",),
        ),
        Step(
            key="fence",
            what="Put the mark into the object store that makes the old primary a standby, now or when it is back",
            why="first: nothing may be written to the old primary that the new one does not have",
            commands=(f"echo '{mark}' | rclone rcat {fence_mark(plan.config, 1)}",),
        ),
        Step(
            key="activate",
            what="Set disaster_recovery.active and apply it: the restore machine restores, and the API is sent to it",
            why="the API has one database address; it changes only after the old one is fenced",
            commands=(
                f"dreamseed failover start {plan.name} writes active: true into Pulumi.{plan.name}.yaml",
                *(
                    ("where the first site is lost too: from_second_site: true beside it",)
                    if plan.config.backup.second_site
                    else ()
                ),
                f"pulumi up --stack {plan.name}",
            ),
        ),
        Step(
            key="verify",
            what="See that the new primary takes writes and ends where the archive ends, and the old one takes none",
            why="PostgreSQL ends a recovery at a gap without an error",
            commands=(
                f"psql -h {cloud} -U postgres -c 'SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()'",
                f"{backup} info",
            ),
        ),
    )


def _back(plan: StagePlan) -> tuple[Step, ...]:
    machine = f"{secret_prefix(plan.config.service.name)}-restore"
    return (
        Step(
            key="follow",
            what="Let the servers' cluster follow the new primary: its data made anew from it, while the mark stays",
            why="what was written in the cloud must be on the servers before they lead again, and only a copy is sure "
            "to be the same database: a fenced primary may have led for a moment, under the same number of a timeline",
            commands=(
                "docker stop pg-1-1, and move pg of its volume aside",
                f"pg_basebackup -h {restore_address(plan.config)} -U replicator -D pg, in its volume, as user 999",
                "docker start pg-1-1; docker exec pg-1-1 patronictl list",
            ),
        ),
        Step(
            key="quiet",
            what="Fence the new primary and stop it fast, and wait until the servers have replayed its last record",
            why="planned, so nothing is lost: nobody writes any more, and all that was written arrives; whatever "
            "starts it again, as its machine does at each boot, finds a standby",
            commands=(
                "docker exec shard-1 touch /var/lib/postgresql/data/pg/standby.signal",
                "docker stop shard-1",
                "psql -c 'SELECT pg_last_wal_replay_lsn()' on the servers",
            ),
        ),
        Step(
            key="release",
            what="Take the mark away and let the servers lead",
            why="only now: the other primary is stopped",
            commands=(
                f"rclone deletefile {fence_mark(plan.config, 1)}",
                f"curl --user patroni:PASSWORD -XPATCH http://{_patroni(plan)}/config"
                " --data '{\"standby_cluster\": null}'",
            ),
        ),
        Step(
            key="deactivate",
            what="Unset disaster_recovery.active and apply it: the API uses the servers, the restore machine goes",
            why="the machine costs money, and must never start again as a primary",
            commands=(
                f"gcloud compute instances update {machine} --no-deletion-protection",
                f"pulumi state unprotect the disk {machine}: its data is on the servers now",
                f"dreamseed failover back {plan.name} writes active: false into Pulumi.{plan.name}.yaml",
                f"pulumi up --stack {plan.name}",
            ),
        ),
        Step(
            key="verify",
            what="Take a full backup, and see that the servers archive again",
            why="the cloud's log was archived nowhere: until this backup ends, no restore reaches beyond it",
            commands=(
                "docker exec pg-1-1-backup rm /var/lib/pgbackrest/last-offsite-full",
                "docker exec pg-1-1-backup sh /etc/dreamseed/backup.sh examine",
            ),
        ),
    )


def _patroni(plan: StagePlan) -> str:
    """Return where the first instance's Patroni answers."""
    instance = plan_instances(plan.config, plan.hosts, 1)[0]
    return f"{instance.address}:{instance.check_port}"
