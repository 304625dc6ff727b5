"""Whether each shard has one leader with its replicas, etcd votes, and clients get through pooler and proxies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dreamseed.planning import ports
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.etcd import client_urls
from dreamseed.planning.services.postgres import stanza_of
from dreamseed.planning.services.postgres_access import database_of
from dreamseed.planning.services.postgres_instance import Instance
from dreamseed.planning.topology import synchronous_names
from localtier.checks.finding import Finding, compared, none_of
from localtier.checks.site import AskFailed, Site

_ARCHIVED = "select coalesce(last_archived_time > last_failed_time, last_failed_time is null) from pg_stat_archiver"


def postgres(site: Site) -> Iterator[Finding]:
    """Ask Patroni for each shard's members, and the leader about its archive."""
    for instances in site.plan.topology.shards:
        cluster = json.loads(_first_answer(site, instances))
        names = synchronous_names(
            sum(not one.asynchronous for one in instances), site.plan.config.postgres.synchronous_standbys
        )
        yield from cluster_findings(instances, names, cluster)
        leader = next((one["name"] for one in cluster["members"] if one["role"] == "leader"), None)
        if leader is not None:
            yield from _archive(site, instances[0].shard, leader)


def _first_answer(site: Site, instances: Sequence[Instance]) -> str:
    """Return what the first member that answers says of the cluster; raises the last `AskFailed`."""
    failure: AskFailed | None = None
    for one in instances:
        try:
            return site.exec_text(one.name, ["curl", "-fsS", "-m", "5", f"http://127.0.0.1:{ports.PATRONI}/cluster"])
        except AskFailed as error:
            failure = error
    raise failure or AskFailed("postgres", ["curl"], "no instance is planned")


def cluster_findings(instances: Sequence[Instance], names: int, cluster: Mapping[str, Any]) -> Iterator[Finding]:
    """Return what Patroni's ``GET /cluster`` says against the plan; `names` standbys confirm a commit.

    Source: Patroni 4 documentation, REST API.
    """
    shard = f"shard {instances[0].shard}"
    members = cluster["members"]
    leaders = [one for one in members if one["role"] == "leader"]
    yield compared(f"{shard}: members", sorted(one["name"] for one in members), sorted(one.name for one in instances))
    yield compared(f"{shard}: leaders that run", [one["state"] for one in leaders], ["running"])
    followers = [one for one in members if one["role"] != "leader"]
    yield none_of(
        f"{shard}: replicas stream",
        [f"{one['name']} is {one['state']}" for one in followers if one["state"] != "streaming"],
    )
    standbys = [one["name"] for one in followers if one["role"] == "sync_standby"]
    yield compared(f"{shard}: synchronous standbys", len(standbys), names)
    asynchronous = {one.name for one in instances if one.asynchronous}
    yield none_of(
        f"{shard}: no asynchronous instance leads or confirms",
        sorted(asynchronous & {*standbys, *(one["name"] for one in leaders)}),
    )
    pending = [one["name"] for one in members if one.get("pending_restart")]
    yield none_of(f"{shard}: nothing waits for a restart", pending)
    yield Finding(what=f"{shard}: Patroni is in charge", ok=not cluster.get("pause"), detail="")


def _archive(site: Site, shard: int, leader: str) -> Iterator[Finding]:
    """Return whether the repository in use is sound and WAL arrives there."""
    archive = "offsite" if site.plan.config.backup.wal_archive else "local"
    argv = ["pgbackrest", f"--config=/etc/pgbackrest/{archive}.conf", f"--stanza={stanza_of(shard)}"]
    info = json.loads(site.exec_text(leader, [*argv, "--log-level-console=off", "info", "--output=json"]))
    yield repository_finding(shard, info)
    answer = site.exec_text(leader, ["psql", "-h", "/run/postgresql", "-U", "postgres", "-Atc", _ARCHIVED]).strip()
    yield compared(f"shard {shard}: WAL is archived", answer, "t")


def repository_finding(shard: int, info: Sequence[Mapping[str, Any]]) -> Finding:
    """Return whether pgBackRest finds the stanza sound, a backup included. Source: pgBackRest user guide, info."""
    said = [f"{one['status']['code']}: {one['status']['message']}" for one in info]
    return compared(f"shard {shard}: backup repository", said, ["0: ok"])


def etcd(site: Site) -> Iterator[Finding]:
    """Ask the first member who votes, and every member whether it is healthy."""
    hosts = site.plan.topology.etcd
    listed = site.exec_text("etcd-1", ["etcdctl", "member", "list"])
    yield from member_findings(len(hosts), listed)
    site.exec_text("etcd-1", ["etcdctl", f"--endpoints={','.join(client_urls(hosts))}", "endpoint", "health"])
    yield Finding(what="etcd: every member is healthy", ok=True)


def member_findings(members: int, text: str) -> Iterator[Finding]:
    """Return whether the planned members are started and vote.

    A line of `text` holds id, status, name, peer URLs, client URLs and whether it is a learner (etcdctl 3.4 and 3.6).
    """
    rows = [[field.strip() for field in line.split(",")] for line in text.splitlines() if line.strip()]
    planned = sorted(f"etcd-{number}" for number in range(1, members + 1))
    yield compared("etcd: members", sorted(row[2] or row[3] for row in rows), planned)
    idle = [f"{row[2] or row[3]} is {row[1]}" for row in rows if row[1] != "started"]
    learners = [f"{row[2]} is a learner" for row in rows if row[-1] != "false"]
    yield none_of("etcd: every member is started and votes", idle + learners)


def access(site: Site) -> Iterator[Finding]:
    """Connect as the application through every pooler, and through every proxy to a primary and to a replica."""
    config = site.plan.config
    for pooler in site.services("pgbouncer"):
        client = site.beside(pooler, config.postgres.image)
        answer = _select(site, client, pooler.name, ports.PGBOUNCER, 1, "select 1")
        yield compared(f"{pooler.name} answers", answer, "1")
    for instances in site.plan.topology.shards:
        shard = instances[0].shard
        doors = [("primary", ports.POSTGRES_PRIMARY, "f")]
        doors += [("a replica", ports.POSTGRES_REPLICAS, "t")] if len(instances) > 1 else []
        for proxy in site.services(f"pg-proxy-{shard}"):
            client = site.beside(proxy, config.postgres.image)
            for role, port, expected in doors:
                answer = _select(site, client, proxy.name, port, shard, "select pg_is_in_recovery()")
                yield compared(f"{proxy.name} leads to {role}", answer, expected)


def _select(site: Site, client: str, at: str, port: int, shard: int, statement: str) -> str:
    config = site.plan.config
    argv = ["psql", "-h", at, "-p", str(port), "-U", config.postgres.database]
    argv += ["-d", database_of(config, shard), "-Atc", statement]
    secret = {"PGPASSWORD": site.credentials[GeneratedSecret.POSTGRES_APPLICATION], "PGCONNECT_TIMEOUT": "5"}
    return site.exec_text(client, argv, secret).strip()
