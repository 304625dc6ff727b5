"""PostgreSQL under Patroni: instances, proxies, pooler, backups; replicas are added, never moved.

Existing instances keep their exact configuration from stage to stage: what changes is dynamic (Patroni's own store,
set by a job), so a promotion adds containers and touches no database. Sources: Patroni 4 documentation (dynamic
configuration, synchronous mode, tags, failsafe mode); pgBackRest user guide; measurements of 2026-11-23.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.container import (
    Container,
    File,
    Health,
    Mount,
    NetworkName,
    Port,
    ServicePlan,
    Volume,
    VolumeKind,
    secret,
)
from dreamseed.planning.hosts import Host, spread
from dreamseed.planning.object_store import BucketRole, bucket_name
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.services import etcd, postgres_access
from dreamseed.planning.services.postgres_exchange import plan_exchange
from dreamseed.planning.services.postgres_instance import COMPONENT, POSTGRES_UID, Instance, plan_job, private

LOOKS_TABLE = "archive_looks"
"""Of the database postgres: when the archive was looked at last, and what was found."""
LOOP_WAIT_SECONDS = 5
RETRY_TIMEOUT_SECONDS = 5
LEADER_TTL_SECONDS = 20
"""Patroni's smallest legal ttl; failover took 16.6 s with these three (measured 2026-11-23)."""


def plan_instances(config: StageConfig, hosts: Sequence[Host], shard: int) -> tuple[Instance, ...]:
    """Return the instances of `shard`.

    With k synchronous standbys over several servers, at most k instances of a server may vote and the rest are
    asynchronous: a primary and its k standbys are k + 1 voting instances, so one of them stands on another server.
    """
    placed = spread(config.postgres.instances, hosts, config.postgres.placement)
    several = len({host.name for host in placed}) > 1
    quota = config.postgres.synchronous_standbys
    seen: dict[str, int] = {}
    instances = []
    for number, host in enumerate(placed, start=1):
        seen[host.name] = seen.get(host.name, 0) + 1
        instances.append(
            Instance(
                name=f"pg-{shard}-{number}",
                shard=shard,
                number=number,
                host=host,
                asynchronous=several and quota > 0 and seen[host.name] > quota,
            )
        )
    return tuple(instances)


def plan_postgres(config: StageConfig, hosts: Sequence[Host]) -> ServicePlan:
    """Return etcd, every shard's instances with their backups, the proxies, the poolers and the jobs."""
    votes = etcd.plan_etcd(hosts, config.postgres.image)
    containers = [*votes.containers]
    volumes = [*votes.volumes]
    shards = {number: plan_instances(config, hosts, number) for number in range(1, config.postgres.shards + 1)}
    for instances in shards.values():
        previous = votes.containers[-1].name
        if exchange := plan_exchange(config, instances, previous):
            containers.append(exchange)
            previous = exchange.name
        for instance in instances:
            container = _instance(config, instance, instances, hosts, previous)
            containers += [container, _backup(config, instance)]
            volumes += _volumes(config, instance)
            previous = container.name
        containers += postgres_access.plan_proxies(instances, hosts)
        containers.append(_configuration_job(config, instances))
    containers += postgres_access.plan_poolers(config, hosts, tuple(shards))
    return ServicePlan(component=COMPONENT, containers=tuple(containers), volumes=tuple(volumes))


def stanza_of(shard: int) -> str:
    """Return the shard's name in the backup repository."""
    return f"shard-{shard}"


def fence_name(shard: int) -> str:
    """Return the name of the file in the bucket of backups that makes the shard's primary a standby of another one."""
    return f"{stanza_of(shard)}-fenced"


def dynamic_configuration(config: StageConfig, shard: int) -> dict[str, Any]:
    """Return Patroni's dynamic configuration: what may change while the databases run."""
    postgres, backup = config.postgres, config.backup
    archive = "offsite" if backup.wal_archive else "local"
    pgbackrest = f"pgbackrest --config=/etc/pgbackrest/{archive}.conf --stanza={stanza_of(shard)}"
    return {
        "ttl": LEADER_TTL_SECONDS,
        "loop_wait": LOOP_WAIT_SECONDS,
        "retry_timeout": RETRY_TIMEOUT_SECONDS,
        "maximum_lag_on_failover": 1_048_576,
        "failsafe_mode": True,
        "synchronous_mode": postgres.synchronous_standbys > 0,
        "synchronous_node_count": max(1, postgres.synchronous_standbys),
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": {
                "wal_level": "logical",
                "hot_standby": "on",
                "wal_log_hints": "on",
                "wal_keep_size": "1GB",
                "max_slot_wal_keep_size": "20GB",
                "max_wal_senders": 16,
                # A standby that is cut off is given up after this: commits wait for it no longer. The default is 60 s.
                "wal_sender_timeout": "15s",
                "max_replication_slots": 16,
                "max_connections": postgres.max_connections,
                "shared_buffers": f"{postgres.memory_mib // 4}MB",
                "effective_cache_size": f"{postgres.memory_mib * 3 // 4}MB",
                "password_encryption": "scram-sha-256",
                "archive_mode": "on",
                "archive_timeout": backup.archive_timeout_seconds,
                "archive_command": f"{pgbackrest} archive-push %p",
            },
            # Bounded: with the archive store away an unbounded archive-get kept replicas from streaming for minutes.
            "recovery_conf": {"restore_command": f'timeout 20 {pgbackrest} archive-get %f "%p"'},
        },
    }


def _instance(
    config: StageConfig, instance: Instance, shard: Sequence[Instance], hosts: Sequence[Host], previous: str
) -> Container:
    members = etcd.voting_hosts(hosts)
    nearest = next((host for host in members if host.name == instance.host.name), members[0])
    patroni = render(
        "patroni.yml.j2",
        scope=f"shard-{instance.shard}",
        service=config.service.name,
        name=instance.name,
        address=instance.address,
        postgres_port=ports.POSTGRES,
        postgres_published=instance.port,
        patroni_port=ports.PATRONI,
        patroni_published=instance.check_port,
        # One address suffices and never changes: Patroni learns the other members from etcd itself.
        etcd=etcd.client_urls((nearest,))[0],
        dynamic=_born_with(config, instance.shard),
        asynchronous=instance.asynchronous,
    )
    return Container(
        name=instance.name,
        component=COMPONENT,
        service=f"postgres-{instance.shard}",
        host=instance.host.name,
        image=config.postgres.image,
        networks=(NetworkName.DATA,),
        memory_mib=config.postgres.memory_mib,
        cpu_cores=1.5,
        shm_size_mib=1_024,
        user=str(POSTGRES_UID),
        entrypoint=("patroni",),
        command=("/etc/patroni/patroni.yml",),
        files=(private("/etc/patroni/patroni.yml", patroni), *_backup_files(config, instance.shard)),
        mounts=_mounts(instance),
        ports=(
            Port(container=ports.POSTGRES, published=instance.port, purpose="PostgreSQL"),
            Port(container=ports.PATRONI, published=instance.check_port, purpose="Patroni REST"),
        ),
        # etcd tells who its members are, and who those of the shard are.
        hears=(
            *etcd.client_urls(members),
            *(f"{one.address}:{port}" for one in shard for port in (one.port, one.check_port)),
        ),
        health=Health(
            test=("CMD", "curl", "-fsS", f"http://127.0.0.1:{ports.PATRONI}/readiness"),
            start_period_seconds=300,
        ),
        stop_grace_seconds=90,
        after=(previous,),
    )


def _born_with(config: StageConfig, shard: int) -> dict[str, Any]:
    """Return the dynamic configuration a cluster is born with: nothing that differs between stages."""
    dynamic = dynamic_configuration(config, shard)
    for key in ("synchronous_mode", "synchronous_node_count"):
        del dynamic[key]
    postgresql = dynamic["postgresql"]
    del postgresql["recovery_conf"]
    for key in ("shared_buffers", "effective_cache_size", "archive_command", "archive_timeout", "max_connections"):
        del postgresql["parameters"][key]
    postgresql["parameters"]["archive_command"] = "false"
    return dynamic


def archive_file(config: StageConfig, shard: int, role: BucketRole | None, region: str) -> str:
    """Return pgBackRest's configuration for the repository in the bucket of `role`, or on the server for none."""
    second = role is BucketRole.BACKUPS_SECOND
    return render(
        "pgbackrest.conf.j2",
        offsite=role is not None,
        stanza=stanza_of(shard),
        bucket=role and bucket_name(config, role),
        region=region,
        key_id=ProvidedSecret.BACKUP_SECOND_KEY_ID if second else ProvidedSecret.BACKUP_KEY_ID,
        key=ProvidedSecret.BACKUP_SECOND_KEY if second else ProvidedSecret.BACKUP_KEY,
    )


def _backup_files(config: StageConfig, shard: int) -> tuple[File, ...]:
    """Return both archive configurations; the dynamic configuration chooses which one is used."""
    region = config.object_store.region
    return (
        private("/etc/pgbackrest/local.conf", archive_file(config, shard, None, region)),
        private("/etc/pgbackrest/offsite.conf", archive_file(config, shard, BucketRole.BACKUPS, region)),
    )


def _mounts(instance: Instance) -> tuple[Mount, ...]:
    return (
        Mount(volume=f"{instance.name}-data", path="/var/lib/postgresql/data"),
        Mount(volume=f"{instance.name}-backup", path="/var/lib/pgbackrest"),
        Mount(volume=f"{instance.name}-run", path="/run/postgresql"),
    )


def _volumes(config: StageConfig, instance: Instance) -> list[Volume]:
    host = instance.host.name
    size_gib = config.postgres.disk_gib
    return [
        Volume(name=f"{instance.name}-data", host=host, kind=VolumeKind.DATA, size_gib=size_gib),
        Volume(name=f"{instance.name}-backup", host=host, kind=VolumeKind.DATA, size_gib=size_gib // 4),
        Volume(name=f"{instance.name}-run", host=host, kind=VolumeKind.CACHE, size_gib=1),
    ]


def _backup(config: StageConfig, instance: Instance) -> Container:
    store, backup = config.object_store, config.backup
    second = f"{store.bucket_prefix}-backups-second" if backup.second_site else None
    script = render(
        "postgres-backup.sh.j2",
        stanza=stanza_of(instance.shard),
        patroni=f"{instance.address}:{instance.check_port}",
        wal_archive=backup.wal_archive,
        keep_full=backup.keep_full,
        full_every_days=backup.full_every_days,
        incremental_every_hours=backup.incremental_every_hours,
        bucket=f"{store.bucket_prefix}-backups",
        second_bucket=second,
        fence=fence_name(instance.shard),
        looks=LOOKS_TABLE,
    )
    rclone = render(
        "rclone.conf.j2", region=store.region, second_region=store.second_region if backup.second_site else None
    )
    return Container(
        name=f"{instance.name}-backup",
        component=COMPONENT,
        service=f"backup-{instance.name}",
        host=instance.host.name,
        image=config.postgres.image,
        networks=(NetworkName.DATA,),
        memory_mib=512,
        cpu_cores=0.1,
        user=str(POSTGRES_UID),
        entrypoint=("/bin/sh", "/etc/dreamseed/backup.sh"),
        files=(
            File(path="/etc/dreamseed/backup.sh", text=script),
            private("/etc/pgbackrest/rclone.conf", rclone),
            private("/run/secrets/patroni-api", secret(GeneratedSecret.PATRONI_API)),
            *_backup_files(config, instance.shard),
        ),
        mounts=_mounts(instance),
        health=Health(test=("CMD", "pgbackrest", "version"), interval_seconds=60),
        after=(instance.name,),
    )


def _configuration_job(config: StageConfig, instances: Sequence[Instance]) -> Container:
    shard = instances[0].shard
    script = render(
        "postgres-configure.sh.j2",
        members=[f"{instance.address}:{instance.check_port}" for instance in instances],
        settle_seconds=LOOP_WAIT_SECONDS * 2,
        proxy=postgres_access.primary_alias(shard),
        primary_port=ports.POSTGRES_PRIMARY,
    )
    roles = render(
        "postgres-roles.sql.j2",
        application=config.postgres.database,
        database=postgres_access.database_of(config, shard),
    )
    return plan_job(
        config,
        instances,
        "configure",
        script,
        files=(
            File(path="/etc/dreamseed/dynamic.json", text=json.dumps(dynamic_configuration(config, shard), indent=1)),
            private("/etc/dreamseed/roles.sql", roles),
            private("/run/secrets/patroni-api", secret(GeneratedSecret.PATRONI_API)),
            private("/run/secrets/postgres-superuser", secret(GeneratedSecret.POSTGRES_SUPERUSER)),
        ),
        after=(instances[-1].name, f"pg-proxy-{shard}-1"),
    )
