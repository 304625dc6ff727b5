"""What stands by in the cloud, and which of it bears the RPO.

Three copies, three ages. The WAL archive in the object store is at most `rpo_minutes` old: it alone bears
the RPO, and a disaster restores from it, to a VM that exists only while `disaster_recovery.active`. The
Cloud SQL instance is a second copy of another kind, loaded by `pg_dump` every `refresh_hours`, which is its
own, larger, RPO. Cloud SQL cannot follow a PostgreSQL of one's own physically, a stopped instance receives
nothing and one with HA cannot subscribe (docs/surprises.md, section 2), so both kinds are loaded; between
loads `standby` runs, and `landing` is stopped.

Only an instance that already exists can be stopped: a landing place is created running, and its first load, at most
`refresh_hours` later, leaves it stopped. From then on the load alone starts and stops it, and the program leaves its
state as it is, until it must run: while a disaster lasts and as a standby.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.config.cloud import RecoveryKind
from dreamseed.errors import PlanError
from dreamseed.planning import ports
from dreamseed.planning.container import secret
from dreamseed.planning.object_store import BucketRole, bucket_name
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.services.postgres import (
    archive_file,
    dynamic_configuration,
    fence_name,
    stanza_of,
)
from dreamseed.planning.services.postgres_instance import POSTGRES_UID
from dreamseed.planning.services.tunnel import TunnelRoute

NIGHT_HOUR = 3
"""When a daily load starts, in the service's own time zone."""
REFRESH_TIMEOUT_SECONDS = 6 * 3_600
RESTORE_PORT = ports.POSTGRES
FIRST_SITE_KEY = (ProvidedSecret.BACKUP_KEY_ID, ProvidedSecret.BACKUP_KEY)
SECOND_SITE_KEY = (ProvidedSecret.BACKUP_SECOND_KEY_ID, ProvidedSecret.BACKUP_SECOND_KEY)
RESTORE_DISK_FACTOR = 2
"""The restore VM's disk against one instance's volume: the restored files, and room to run on."""

RESTORE_ARGUMENTS = ("--delta", "restore")
"""What pgBackRest is asked for: by default it replays to the end of the archive, then PostgreSQL is promoted."""
NOT_BELOW_THE_PRIMARY = (
    "max_connections",
    "max_wal_senders",
    "max_worker_processes",
    "max_prepared_transactions",
    "max_locks_per_transaction",
)
"""A recovery ends with an error where one of these is lower than it was on the primary whose log is replayed.

Source: PostgreSQL 17, "Hot Standby", administrator's overview; met in a drill on 2026-11-26.
"""


@dataclass(frozen=True, kw_only=True)
class RecoveryPlan:
    """The Cloud SQL instance, its scheduled load, and the restore of a disaster.

    `rests` tells that loads leave the instance stopped. `schedule` is a cron line in the service's time zone. The
    scripts hold no secret: they read them from Secret Manager, or from their environment. `restore_secrets` are those
    of the restore: the archive's cipher and the key of each site, as only a disaster says which site is left.
    """

    tier: str
    availability: str
    rests: bool
    keeps_backups: bool
    disk_gib: int
    schedule: str
    source: TunnelRoute
    refresh_job: str
    refresh_script: str
    restore_script: str
    restoring: bool
    restore_secrets: tuple[str, ...]
    restore_machine: str
    restore_disk_gib: int


def plan_recovery(config: StageConfig, source: TunnelRoute | None, where: str) -> RecoveryPlan | None:
    """Return what stands by, or null where the stage has nothing.

    `source` is the private route to the primary itself: a dump needs a session of its own, which the pooler
    does not give. Raises `PlanError` when it is missing or the interval is no cron line.
    """
    recovery = config.disaster_recovery
    if recovery.kind is RecoveryKind.NONE:
        return None
    if source is None or source.local_port is None:
        raise PlanError(
            f"{where} › disaster_recovery › kind",
            f"is {recovery.kind}, but no private TCP route leads to the primary",
            "the load dumps it through the tunnel, past the pooler",
            "a route to the primary's proxy among the tunnel's routes",
        )
    standby = recovery.kind is RecoveryKind.STANDBY
    rests = recovery.kind is RecoveryKind.LANDING and not recovery.active
    cpu = max(2, recovery.cpu)
    return RecoveryPlan(
        tier=f"db-custom-{recovery.cpu}-{recovery.memory_mib}",
        availability="REGIONAL" if standby else "ZONAL",
        rests=rests,
        keeps_backups=standby or recovery.active,
        disk_gib=recovery.disk_gib,
        schedule=_cron(recovery.refresh_hours, where),
        source=source,
        refresh_job=f"{secret_prefix(config.service.name)}-refresh",
        refresh_script=render(
            "recovery-refresh.sh.j2",
            project=config.service.gcp_project,
            database=config.postgres.database,
            source_port=source.local_port,
            rests=rests,
        ),
        restore_script=_restore_script(config),
        restoring=recovery.active,
        restore_secrets=restore_secrets(config),
        restore_machine=f"n2-custom-{cpu}-{recovery.memory_mib}",
        restore_disk_gib=config.postgres.disk_gib * RESTORE_DISK_FACTOR,
    )


def _cron(hours: int, where: str) -> str:
    """Return the cron line of a load every `hours` hours."""
    if hours < 24 and 24 % hours == 0:
        return f"0 */{hours} * * *" if hours > 1 else "0 * * * *"
    if hours % 24 == 0 and hours // 24 <= 28:
        days = hours // 24
        return f"0 {NIGHT_HOUR} * * *" if days == 1 else f"0 {NIGHT_HOUR} */{days} * *"
    raise PlanError(
        f"{where} › disaster_recovery › refresh_hours",
        f"{hours} hours are no regular interval of a calendar",
        "the load is started by the clock, at the same hours of each day",
        "1, 2, 3, 4, 6, 8, 12, 24, or a multiple of 24 up to 672",
    )


def _restore_script(config: StageConfig) -> str:
    """Return the restore VM's script; where the servers' files get secrets, it reads shell variables."""
    second = config.disaster_recovery.from_second_site
    read = (*(SECOND_SITE_KEY if second else FIRST_SITE_KEY), GeneratedSecret.BACKUP_CIPHER)
    variables = [(name, name.replace("-", "_")) for name in read]
    shards = [
        {
            "number": number,
            "stanza": stanza_of(number),
            "port": RESTORE_PORT + number - 1,
            "configuration": _as_shell(archive_configuration(config, number, second_site=second)),
        }
        for number in range(1, config.postgres.shards + 1)
    ]
    return render(
        "recovery-restore.sh.j2",
        project=config.service.gcp_project,
        secret_prefix=secret_prefix(config.service.name),
        image=config.postgres.image,
        registry=config.postgres.image.split("/", 1)[0],
        uid=POSTGRES_UID,
        variables=variables,
        shards=shards,
        restore_arguments=" ".join(RESTORE_ARGUMENTS),
        settings=" ".join(f"-c {name}={value}" for name, value in restored_settings(config).items()),
    )


def restore_secrets(config: StageConfig) -> tuple[str, ...]:
    """Return what is kept in Secret Manager for a restore, from either site that the stage has."""
    second = SECOND_SITE_KEY if config.backup.second_site else ()
    return (*FIRST_SITE_KEY, *second, GeneratedSecret.BACKUP_CIPHER)


def fence_mark(config: StageConfig, shard: int) -> str:
    """Return where the mark lies that fences a shard's primary, as rclone names it."""
    return f"offsite:{bucket_name(config, BucketRole.BACKUPS)}/{fence_name(shard)}"


def fence_content(host: str, port: int) -> str:
    """Return what the mark holds: where the new primary is, as Patroni's `standby_cluster`.

    A fenced primary takes nothing from the archive: after a loss of power it may lead for a moment before it sees the
    mark, and what it archives then has the number of the new primary's own timeline.
    """
    return json.dumps({"host": host, "port": port, "restore_command": "false"})


def restored_settings(config: StageConfig) -> Mapping[str, object]:
    """Return what a restored primary runs with.

    It archives nothing, as two primaries in one archive would ruin it, waits for no standby, as they are gone, has no
    less of anything than the primary whose log it replays, and caches in a quarter of its own machine's memory.
    """
    parameters = dynamic_configuration(config, 1)["postgresql"]["parameters"]
    kept = {name: parameters[name] for name in NOT_BELOW_THE_PRIMARY if name in parameters}
    cache = f"{config.disaster_recovery.memory_mib // 4}MB"
    return {"archive_mode": "off", "synchronous_standby_names": "", "shared_buffers": cache, **kept}


def archive_configuration(config: StageConfig, shard: int, *, second_site: bool = False) -> str:
    """Return pgBackRest's configuration to restore a shard, from the object store's first site or its second.

    Raises `PlanError` for a second site that the stage does not have.
    """
    role = BucketRole.BACKUPS_SECOND if second_site else BucketRole.BACKUPS
    region = config.object_store.second_region if second_site else config.object_store.region
    if region is None or (second_site and not config.backup.second_site):
        raise PlanError(
            "backup › second_site", "is false", "there is no second copy to restore from", "true, or the first site"
        )
    return archive_file(config, shard, role, region)


def _as_shell(text: str) -> str:
    """Return `text` for a here-document: markers become variables; it holds nothing else that a shell would touch."""
    for name in (*FIRST_SITE_KEY, *SECOND_SITE_KEY, GeneratedSecret.BACKUP_CIPHER):
        text = text.replace(secret(name), f"${{{name.replace('-', '_')}}}")
    return text


def secret_prefix(service_name: str) -> str:
    """Return how the names of the recovery's secrets in Secret Manager begin."""
    return f"{service_name}-recovery"
