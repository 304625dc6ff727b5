"""How clients reach PostgreSQL: a proxy that follows the primary, and a pooler in front of it.

Both run twice on each server and are replaced one after the other, so there is always one that answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Health, NetworkName, Port, secret
from dreamseed.planning.hosts import Host, on_each_server
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.postgres_instance import Instance

COMPONENT = "postgres"
PROXIES_PER_SERVER = 2
PROXY_MAX_CONNECTIONS = 2_000
HAPROXY_UID = 99
PGBOUNCER_UID = 70
POOLER_ALIAS = "pgbouncer"


def primary_alias(shard: int) -> str:
    """Return the name under which the shard's proxies are found on the container network."""
    return f"postgres-{shard}"


def database_of(config: StageConfig, shard: int) -> str:
    """Return the database of `shard`: the service's own name for the first one."""
    return config.postgres.database if shard == 1 else f"{config.postgres.database}_{shard}"


def http_health(port: int, path: str) -> Health:
    """Return a check for images that have busybox, as those on Alpine do, which have no bash: `path` answers 200."""
    request = ("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{port}{path}")
    return Health(test=("CMD", *request), start_period_seconds=20)


def stats_port(published: int) -> Port:
    """Return the port of an HAProxy's statistics: its metrics and its own health, and nothing else."""
    return Port(container=ports.HAPROXY_STATS, published=published, purpose="HAProxy metrics")


def plan_proxies(instances: Sequence[Instance], hosts: Sequence[Host]) -> list[Container]:
    """Return the proxies of the shard that `instances` form, in order of replacement."""
    shard = instances[0].shard
    text = render(
        "postgres-proxy.cfg.j2",
        max_connections=PROXY_MAX_CONNECTIONS,
        stats_port=ports.HAPROXY_STATS,
        primary_port=ports.POSTGRES_PRIMARY,
        replicas_port=ports.POSTGRES_REPLICAS,
        instances=instances,
    )
    proxies: list[Container] = []
    for number, host in enumerate(on_each_server(hosts, PROXIES_PER_SERVER), start=1):
        proxies.append(
            Container(
                name=f"pg-proxy-{shard}-{number}",
                component=COMPONENT,
                service=f"pg-proxy-{shard}",
                host=host.name,
                image="haproxy",
                networks=(NetworkName.DATA,),
                aliases=(primary_alias(shard),),
                inner_ports=(ports.POSTGRES_PRIMARY, ports.POSTGRES_REPLICAS),
                memory_mib=128,
                cpu_cores=0.1,
                user=str(HAPROXY_UID),
                files=(File(path="/usr/local/etc/haproxy/haproxy.cfg", text=text, owner=HAPROXY_UID),),
                ports=(stats_port(ports.postgres_proxy_stats(shard, number)),),
                health=http_health(ports.HAPROXY_STATS, "/healthz"),
                after=(proxies[-1].name,) if proxies else (instances[0].name,),
            )
        )
    return proxies


def plan_poolers(config: StageConfig, hosts: Sequence[Host], shards: Sequence[int]) -> list[Container]:
    """Return the poolers, in order of replacement."""
    bouncer = config.postgres.pgbouncer
    text = render(
        "pgbouncer.ini.j2",
        shards=[{"database": database_of(config, shard), "host": primary_alias(shard)} for shard in shards],
        port=ports.POSTGRES_PRIMARY,
        listen_port=ports.PGBOUNCER,
        max_client_connections=bouncer.max_client_connections,
        pool_size=bouncer.pool_size,
    )
    users = "".join(
        f'"{user}" "{secret(name)}"\n'
        for user, name in (
            (config.postgres.database, GeneratedSecret.POSTGRES_APPLICATION),
            ("monitor", GeneratedSecret.POSTGRES_MONITOR),
        )
    )
    poolers: list[Container] = []
    for number, host in enumerate(on_each_server(hosts, PROXIES_PER_SERVER), start=1):
        poolers.append(
            Container(
                name=f"pgbouncer-{number}",
                component=COMPONENT,
                service="pgbouncer",
                host=host.name,
                image="pgbouncer",
                networks=(NetworkName.DATA,),
                aliases=(POOLER_ALIAS,),
                inner_ports=(ports.PGBOUNCER,),
                memory_mib=128,
                cpu_cores=0.1,
                user=str(PGBOUNCER_UID),
                entrypoint=("pgbouncer",),
                command=("/etc/pgbouncer/pgbouncer.ini",),
                files=(
                    File(path="/etc/pgbouncer/pgbouncer.ini", text=text),
                    File(path="/etc/pgbouncer/userlist.txt", text=users, owner=PGBOUNCER_UID, mode="0400"),
                ),
                health=Health(
                    test=("CMD", "pg_isready", "-h", "127.0.0.1", "-p", str(ports.PGBOUNCER)), start_period_seconds=20
                ),
                after=(poolers[-1].name,) if poolers else (f"pg-proxy-{shards[0]}-1",),
            )
        )
    return poolers
