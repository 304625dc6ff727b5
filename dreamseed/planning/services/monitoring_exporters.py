"""The exporters: one a thing to be measured, each published on its host's private address.

Sources: documentation and Dockerfiles of node_exporter 1.10, dcgm-exporter 4.8, postgres_exporter 0.19,
pgbackrest_exporter 0.22, redis_exporter 1.84 and kafka_exporter 1.9, read 2026-11-23; pgbouncer_exporter 0.12.1 and
lib/pq 1.12.3, which reads PGPASSFILE, read 2026-11-26.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from dreamseed.config import StageConfig
from dreamseed.config.compute import Accelerator
from dreamseed.errors import PlanError
from dreamseed.monitoring.metrics import METRICS, Job
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Health, NetworkName, Port, ServicePlan, secret
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services import kafka, postgres, redis
from dreamseed.planning.services.monitoring_cost import plan_cost_exporter
from dreamseed.planning.services.monitoring_files import yaml_text
from dreamseed.planning.services.postgres_access import http_health
from dreamseed.planning.services.postgres_instance import POSTGRES_UID, Instance

COMPONENT = "monitoring"
NOBODY_UID = 65_534
"""User of the Prometheus project's images. Source: their Dockerfiles."""
REDIS_EXPORTER_UID = 59_000
"""Source: redis_exporter's Dockerfile."""
NODE_COLLECTORS = ("cpu", "diskstats", "filesystem", "loadavg", "meminfo", "uname")
NO_NETWORK_CARD = "^(lo|docker.*|br-.*|veth.*)$"
"""What containers say to each other on one host never reaches a network card, or is counted there once more."""
LOOKS_FILE = "/etc/postgres_exporter/archive-looks.yml"
BACKUP_POLL_SECONDS = 600
"""How often the repository is asked; each time it lists objects. The exporter's own default."""


def plan_exporters(
    config: StageConfig, hosts: Sequence[Host], services: Sequence[ServicePlan]
) -> tuple[Container, ...]:
    """Return the exporters that the stage needs, in order of replacement.

    `services` must hold the database, whose backup containers lend the backup exporters their configuration. Raises
    `PlanError` when it does not.
    """
    first = servers(hosts)[0]
    exporters = [_node(host) for host in hosts]
    if config.vllm.accelerator is Accelerator.NVIDIA:
        exporters += [_dcgm(config, host) for host in servers(hosts)]
    for shard in range(1, config.postgres.shards + 1):
        instances = postgres.plan_instances(config, hosts, shard)
        exporters += [_postgres(instance) for instance in instances]
        # One repository off-site serves a whole shard; local ones are each instance's own.
        kept = instances[:1] if config.backup.wal_archive else instances
        exporters += [_pgbackrest(config, instance, services) for instance in kept]
    poolers = [one for plan in services for one in plan.containers if one.service == "pgbouncer"]
    exporters += [_pgbouncer(number, pooler) for number, pooler in enumerate(poolers, start=1)]
    if config.redis.masters:
        exporters.append(_redis(first, redis.plan_nodes(config, hosts)))
    if config.kafka.brokers:
        exporters.append(_kafka(first, kafka.plan_brokers(config, hosts)))
    exporters.append(plan_cost_exporter(config, first))
    return _chained(exporters)


def redis_target(node: redis.Node) -> str:
    """Return how the cache's exporter names a node, in its password file as in Prometheus' targets."""
    return f"redis://{node.address}:{node.port}"


def exporter_name(instance: Instance) -> str:
    """Return the name of the exporter's container of a PostgreSQL instance."""
    return f"{instance.name}-exporter"


def _chained(exporters: Sequence[Container]) -> tuple[Container, ...]:
    """Return `exporters` with each one replaced after the one before it that measures the same kind of thing."""
    last: dict[str, str] = {}
    chained = []
    for exporter in exporters:
        previous = last.get(exporter.service)
        chained.append(replace(exporter, after=(previous,) if previous else ()))
        last[exporter.service] = exporter.name
    return tuple(chained)


def page_health(port: int, path: str = "/", start_period_seconds: int = 20) -> Health:
    """Return a check for images that have busybox, made seldom: the page at `path` is served."""
    return replace(http_health(port, path), interval_seconds=30, start_period_seconds=start_period_seconds)


def _node(host: Host) -> Container:
    """Return the exporter of a host's own figures, on a server in its network.

    From a network of its own it would count its own traffic as the host's. The witness's system lets in what Docker
    forwards and nothing that a host's own program listens for, so there it has one, and leaves traffic out.
    """
    shared = not host.in_cloud
    address = f"{host.address}:{ports.NODE_EXPORTER}" if shared else f":{ports.NODE_EXPORTER}"
    page = f"http://{host.address if shared else '127.0.0.1'}:{ports.NODE_EXPORTER}/"
    collectors = [*NODE_COLLECTORS, *(("netdev",) if shared else ())]
    return Container(
        name=f"{host.name}-node-exporter",
        component=COMPONENT,
        service="node-exporter",
        host=host.name,
        image="node_exporter",
        networks=() if shared else (NetworkName.MONITORING,),
        host_network=shared,
        memory_mib=64,
        cpu_cores=0.05,
        user=str(NOBODY_UID),
        host_paths={"/": "/host"},
        command=(
            "--path.rootfs=/host",
            "--path.procfs=/host/proc",
            "--path.sysfs=/host/sys",
            f"--web.listen-address={address}",
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in collectors),
            *((f"--collector.netdev.device-exclude={NO_NETWORK_CARD}",) if shared else ()),
        ),
        ports=(Port(container=ports.NODE_EXPORTER, published=ports.NODE_EXPORTER, purpose="host metrics"),),
        health=replace(page_health(ports.NODE_EXPORTER), test=("CMD", "wget", "-q", "-O", "/dev/null", page)),
    )


def _dcgm(config: StageConfig, host: Host) -> Container:
    # No profiling fields, which GeForce cards do not have, so no SYS_ADMIN either.
    counters = "".join(f"{field}, gauge, {field}\n" for field in sorted(METRICS[Job.DCGM]))
    path = "/etc/dcgm-exporter/dreamseed.csv"
    return Container(
        name=f"{host.name}-dcgm-exporter",
        component=COMPONENT,
        service="dcgm-exporter",
        host=host.name,
        image="dcgm_exporter",
        networks=(NetworkName.MONITORING,),
        memory_mib=256,
        cpu_cores=0.1,
        gpu_indices=tuple(range(host.gpu_count)),
        environment={
            "DCGM_EXPORTER_COLLECTORS": path,
            "DCGM_EXPORTER_INTERVAL": str(config.monitoring.scrape_interval_seconds * 1_000),
        },
        files=(File(path=path, text=counters),),
        ports=(Port(container=ports.DCGM_EXPORTER, published=ports.DCGM_EXPORTER, purpose="GPU metrics"),),
        # A distroless image: nothing in it could check; TargetDown tells.
    )


def _look_queries() -> str:
    """Return the query that the exporter asks besides its own: what the daily looks at the archive found.

    The exporter calls such a file deprecated and names nothing in its place. Source: postgres_exporter 0.19.1.
    """
    times = {"passed": "passed_at", "last": "looked_at"}
    columns = [
        f"coalesce(extract(epoch FROM {column}), 0) AS {name}_timestamp_seconds" for name, column in times.items()
    ]
    query = f"SELECT stanza, (NOT passed)::int AS failed, {', '.join(columns)} FROM {postgres.LOOKS_TABLE}"  # noqa: S608 - names of our own
    gauges = {
        "failed": "1 when the last look at the archive failed",
        "passed_timestamp_seconds": "when a look at the archive last passed, 0 for never",
        "last_timestamp_seconds": "when the archive was last looked at",
    }
    metrics: list[dict[str, dict[str, str]]] = [{"stanza": {"usage": "LABEL", "description": "of the repository"}}]
    metrics += [{name: {"usage": "GAUGE", "description": text}} for name, text in gauges.items()]
    return yaml_text({"archive_look": {"query": query, "metrics": metrics}})


def _postgres(instance: Instance) -> Container:
    published = ports.postgres_exporter(instance.shard, instance.number)
    password = "/run/secrets/postgres-monitor"  # noqa: S105 - a file's path, not a password
    return Container(
        name=exporter_name(instance),
        component=COMPONENT,
        service="postgres-exporter",
        host=instance.host.name,
        image="postgres_exporter",
        networks=(NetworkName.MONITORING,),
        memory_mib=64,
        cpu_cores=0.05,
        user=str(NOBODY_UID),
        command=("--disable-settings-metrics", f"--extend.query-path={LOOKS_FILE}"),
        environment={
            "DATA_SOURCE_URI": f"{instance.address}:{instance.port}/postgres?sslmode=disable",
            "DATA_SOURCE_USER": "monitor",
            "DATA_SOURCE_PASS_FILE": password,
        },
        files=(
            File(path=password, text=secret(GeneratedSecret.POSTGRES_MONITOR), owner=NOBODY_UID, mode="0400"),
            File(path=LOOKS_FILE, text=_look_queries()),
        ),
        ports=(Port(container=ports.POSTGRES_EXPORTER, published=published, purpose="PostgreSQL metrics"),),
        health=page_health(ports.POSTGRES_EXPORTER),
    )


def _pgbackrest(config: StageConfig, instance: Instance, services: Sequence[ServicePlan]) -> Container:
    beside = f"{instance.name}-backup"
    found = [container for plan in services for container in plan.containers if container.name == beside]
    if not found:
        raise PlanError(
            f"monitoring › {beside}",
            f"no service holds the container '{beside}'",
            "the backup exporter reads the repository with that container's configuration",
            "the database's plan among the services given to plan_monitoring",
        )
    archive = "offsite" if config.backup.wal_archive else "local"
    return Container(
        name=f"{beside}-exporter",
        component=COMPONENT,
        service="pgbackrest-exporter",
        host=instance.host.name,
        image=config.postgres.image,
        networks=(NetworkName.MONITORING,),
        memory_mib=128,
        cpu_cores=0.05,
        user=str(POSTGRES_UID),
        entrypoint=("pgbackrest_exporter",),
        command=(
            f"--backrest.config=/etc/pgbackrest/{archive}.conf",
            f"--backrest.stanza-include={postgres.stanza_of(instance.shard)}",
            f"--collect.interval={BACKUP_POLL_SECONDS}",
            f"--web.listen-address=:{ports.PGBACKREST_EXPORTER}",
        ),
        files=tuple(file for file in found[0].files if file.path == f"/etc/pgbackrest/{archive}.conf"),
        mounts=()
        if config.backup.wal_archive
        else tuple(replace(mount, read_only=True) for mount in found[0].mounts if mount.path == "/var/lib/pgbackrest"),
        ports=(
            Port(
                container=ports.PGBACKREST_EXPORTER,
                published=ports.pgbackrest_exporter(instance.shard, instance.number),
                purpose="backup metrics",
            ),
        ),
        health=Health(
            test=("CMD", "curl", "-fsS", "-o", "/dev/null", f"http://127.0.0.1:{ports.PGBACKREST_EXPORTER}/"),
            interval_seconds=30,
            start_period_seconds=120,
        ),
    )


def _pgbouncer(number: int, pooler: Container) -> Container:
    """Return the exporter of one pooler: it knows no other targets, and asks over the containers' own network."""
    password_file = "/run/secrets/pgpass"  # noqa: S105 - a file's path, not a password
    user = "monitor"
    return Container(
        name=f"{pooler.name}-exporter",
        component=COMPONENT,
        service="pgbouncer-exporter",
        host=pooler.host,
        image="pgbouncer_exporter",
        networks=(NetworkName.DATA,),
        memory_mib=32,
        cpu_cores=0.02,
        user=str(NOBODY_UID),
        command=(
            f"--pgBouncer.connectionString=postgres://{user}@{pooler.name}:{ports.PGBOUNCER}/pgbouncer?sslmode=disable",
        ),
        environment={"PGPASSFILE": password_file},
        files=(
            File(
                path=password_file,
                text=f"{pooler.name}:{ports.PGBOUNCER}:pgbouncer:{user}:{secret(GeneratedSecret.POSTGRES_MONITOR)}\n",
                owner=NOBODY_UID,
                mode="0400",
            ),
        ),
        ports=(
            Port(
                container=ports.PGBOUNCER_EXPORTER,
                published=ports.pgbouncer_exporter(number),
                purpose="pooler metrics",
            ),
        ),
        health=page_health(ports.PGBOUNCER_EXPORTER),
    )


def _redis(host: Host, nodes: Sequence[redis.Node]) -> Container:
    path = "/run/secrets/redis.json"
    passwords = {redis_target(node): secret(GeneratedSecret.REDIS) for node in nodes}
    return Container(
        name="redis-exporter",
        component=COMPONENT,
        service="redis-exporter",
        host=host.name,
        image="redis_exporter",
        networks=(NetworkName.MONITORING,),
        memory_mib=64,
        cpu_cores=0.05,
        user=f"{REDIS_EXPORTER_UID}:{REDIS_EXPORTER_UID}",
        # No node of its own: Prometheus names the node with every scrape.
        command=("--redis.addr=", f"--redis.password-file={path}"),
        files=(
            File(
                path=path,
                text=json.dumps(passwords, ensure_ascii=False, indent=1),
                owner=REDIS_EXPORTER_UID,
                mode="0400",
            ),
        ),
        ports=(Port(container=ports.REDIS_EXPORTER, published=ports.REDIS_EXPORTER, purpose="cache metrics"),),
        # The image holds the exporter alone: nothing in it could check; TargetDown tells.
    )


def _kafka(host: Host, brokers: Sequence[kafka.Node]) -> Container:
    return Container(
        name="kafka-exporter",
        component=COMPONENT,
        service="kafka-exporter",
        host=host.name,
        image="kafka_exporter",
        networks=(NetworkName.MONITORING,),
        memory_mib=128,
        cpu_cores=0.05,
        user=str(NOBODY_UID),
        command=tuple(f"--kafka.server={broker.address}:{broker.port}" for broker in brokers),
        ports=(Port(container=ports.KAFKA_EXPORTER, published=ports.KAFKA_EXPORTER, purpose="event stream metrics"),),
        # It ends when no broker answers its first call and is started again until one does.
        health=page_health(ports.KAFKA_EXPORTER, start_period_seconds=120),
    )
