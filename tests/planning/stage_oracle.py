"""What any plan must keep, derived anew: from the stage file and from what the containers are told.

Nothing here asks the planner's own rules. Votes, copies and connections are read out of the files that the containers
start with (Kafka's properties and assignments, Patroni's tags, the cache's script, the pooler's settings), so a file
that says another thing than the plan is a fault, too. Sources: Kafka 4.1, Patroni 4, Redis cluster and PgBouncer
documentation, read 2026-11-23.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any

import yaml

from dreamseed.planning.container import Container
from dreamseed.planning.stage_plan import StagePlan

SYSTEM_MEMORY_MIB, SYSTEM_DISK_GIB = 4_096, 80
"""What a server keeps for itself; stated again, so that the planner's numbers do not change unseen."""
DIRECT_CONNECTIONS = 10
"""At least: three of the superuser, and one or two each of Patroni, an exporter, the backup and a load."""
TENSOR_PARALLEL_SIZES = {1, 2, 4}
"""40 heads and an MLP of 13,824 can be cut so. Source: the growth plan, section 12.1."""
INTERNAL_TOPICS = {"__consumer_offsets", "__transaction_state", "__share_group_state"}
OPEN_NOTHING = {"grafana-cloud-url", "wireguard-public-server-1", "wireguard-public-server-2"}
"""Filled in as secrets are, because another component finds them out, but they open nothing."""
SECRET_NAME = re.compile(r"PASSWORD$|TOKEN$|SECRET$|API_KEY$|REDISCLI_AUTH$")

Faults = Iterator[str]


def faults(plan: StagePlan) -> list[str]:
    """Return everything that is wrong with `plan`, in words; nothing for a sound one."""
    return [fault for check in CHECKS for fault in check(plan)]


def names_and_ports_are_taken_once(plan: StagePlan) -> Faults:
    published = [(one.host, port.published) for one in plan.containers for port in one.ports]
    told = plan.api.sidecar_environment["TUNNEL_ROUTES"].split(",")
    for noun, values in (
        ("host", [host.name for host in plan.hosts]),
        ("container", [one.name for one in plan.containers]),
        ("volume", [volume.name for volume in plan.volumes]),
        ("published port", published),
        ("port of the sidecar", [route.split("=")[0] for route in told]),
        ("hostname of the tunnel", [route.hostname for route in plan.routes]),
    ):
        yield from (f"{noun} {value} is taken {n} times" for value, n in Counter(values).items() if n > 1)
    yield from (f"no port {port} on {host}" for host, port in published if not 0 < port < 65_536)


def hosts_hold_what_stands_on_them(plan: StagePlan) -> Faults:
    capacity = {
        name: (server.memory_gib * 1_024 - SYSTEM_MEMORY_MIB, server.cpu_cores, server.disk_gib - SYSTEM_DISK_GIB)
        for name, server in plan.config.servers.items()
    }
    witness = plan.config.network.witness
    if witness is not None:
        capacity["witness"] = (witness.memory_gib * 1_024, witness.cpu_cores, witness.disk_gib)
    for name, has in capacity.items():
        here = [one for one in plan.containers if one.host == name]
        takes = (
            sum(one.memory_mib for one in here),
            round(sum(one.cpu_cores for one in here), 6),
            sum(volume.size_gib for volume in plan.volumes if volume.host == name),
        )
        for noun, asked, there in zip(("MiB", "cores", "GiB of disk"), takes, has, strict=True):
            if asked > there:
                yield f"{name} holds {asked} {noun} of {there}"
    yield from (f"{one.name} stands on {one.host}" for one in plan.containers if one.host not in capacity)
    yield from (f"{one.name} has no memory" for one in plan.containers if one.memory_mib <= 0)


def engines_have_cards_of_their_own(plan: StagePlan) -> Faults:
    engines = [one for one in plan.containers if one.service == "vllm"]
    real = plan.config.vllm.accelerator == "nvidia"
    taken: set[tuple[str, int]] = set()
    for one in engines:
        size = int(one.command[one.command.index("--tensor-parallel-size") + 1])
        cards = {(one.host, index) for index in one.gpu_indices}
        if size not in TENSOR_PARALLEL_SIZES:
            yield f"{one.name} has the tensor-parallel size {size}"
        if len(one.gpu_indices) != (size if real else 0) or len(cards) != len(one.gpu_indices):
            yield f"{one.name} has {len(one.gpu_indices)} cards for {size}"
        if cards & taken:
            yield f"{one.name} uses a card of another engine"
        if any(index >= plan.config.servers[one.host].gpus.count for index in one.gpu_indices):
            yield f"{one.name} uses a card that {one.host} lacks"
        taken |= cards
    yield from (f"{name} serves nothing" for name in plan.config.servers if name not in {one.host for one in engines})


def networks_do_not_overlap(plan: StagePlan) -> Faults:
    network = plan.config.network
    inner = [subnet for host in plan.hosts for subnet in host.subnets.values()]
    yield from (
        f"{subnet} is outside {network.container_range}"
        for subnet in inner
        if not subnet.subnet_of(network.container_range)
    )
    ranges = [*inner, network.cloud_range, network.servers_range]
    yield from (f"{one} overlaps {other}" for one, other in combinations(ranges, 2) if one.overlaps(other))


def order_is_whole(plan: StagePlan) -> Faults:
    after = {one.name: set(one.after) for one in plan.containers}
    yield from (
        f"{name} waits for {other}, which is not there" for name, waits in after.items() for other in waits - set(after)
    )
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError as error:
        yield f"containers wait for each other: {error.args[1]}"
        return
    before: dict[str, set[str]] = {}
    for name in order:
        before[name] = set().union(*({other} | before[other] for other in after.get(name, ())))
    services: dict[str, list[str]] = {}
    for one in plan.containers:
        services.setdefault(one.service, []).append(one.name)
    for service, members in services.items():
        for first, second in combinations(members, 2):
            if first not in before[second] and second not in before[first]:
                yield f"{first} and {second} of {service} may go at once"


def mounts_are_on_the_same_host(plan: StagePlan) -> Faults:
    host_of = {volume.name: volume.host for volume in plan.volumes}
    for one in plan.containers:
        for mount in one.mounts:
            if host_of.get(mount.volume) != one.host:
                yield f"{one.name} mounts {mount.volume}, which is not on {one.host}"


def secrets_stand_in_private_files(plan: StagePlan) -> Faults:
    for one in plan.containers:
        seen = (
            *one.environment.values(),
            *one.command,
            *one.entrypoint,
            *one.aliases,
            *one.host_paths,
            *(one.health.test if one.health else ()),
        )
        yield from (f"{one.name} shows a secret" for text in seen if "⟦" in text)
        yield from (f"{one.name} has a secret in {key}" for key in one.environment if SECRET_NAME.search(key))
        yield from (
            f"{one.name} lets all read {file.path}"
            for file in one.files
            if set(file.secrets) - OPEN_NOTHING and file.mode != "0400"
        )


def voters_keep_a_majority(plan: StagePlan) -> Faults:
    voters = {
        "etcd": [one.host for one in plan.containers if one.service == "etcd"],
        "kafka": [node.host for node in _kafka_nodes(plan) if "controller" in node.roles],
    }
    if not voters["etcd"]:
        yield "nobody votes in etcd"
    if bool(voters["kafka"]) != bool(plan.config.kafka.brokers):
        yield f"{len(voters['kafka'])} vote for {plan.config.kafka.brokers} brokers"
    if plan.config.redis.replicas_per_master:  # without replicas nobody takes over, whoever votes
        voters["redis"] = [node.host for node in _cache_nodes(plan) if node.master]
    if not _promises_a_host(plan):
        return
    for system, hosts in voters.items():
        for host in {host.name for host in plan.hosts}:
            if hosts and 2 * (len(hosts) - hosts.count(host)) <= len(hosts):
                yield f"{system} loses its majority with {host}: {hosts}"


def cache_is_shaped_as_asked(plan: StagePlan) -> Faults:
    nodes, redis = _cache_nodes(plan), plan.config.redis
    shards = Counter(node.shard for node in nodes if node.shard)
    if sorted(shards.values()) != [1 + redis.replicas_per_master] * redis.masters:
        yield f"the cache's shards have {sorted(shards.values())} nodes"
    masters = Counter(node.shard for node in nodes if node.shard and node.master)
    yield from (f"shard {shard} has {masters[shard]} masters" for shard in shards if masters[shard] != 1)
    if _promises_a_host(plan) and redis.replicas_per_master:
        for shard in shards:
            if len({node.host for node in nodes if node.shard == shard}) < 2:
                yield f"shard {shard} stands on one host"


def events_are_kept(plan: StagePlan) -> Faults:
    rack = {node.number: node.host for node in _kafka_nodes(plan) if "broker" in node.roles}
    if len(rack) != plan.config.kafka.brokers:
        yield f"{len(rack)} brokers run, {plan.config.kafka.brokers} are asked for"
    if not rack:
        return
    job = _only(plan, "kafka-cluster")
    rows: dict[str, list[list[int]]] = {}
    for line in _file(job, "/etc/dreamseed/placement").splitlines():
        topic, partition, brokers = line.split()
        assert int(partition) == len(rows.setdefault(topic, [])), f"{line} is out of order"
        rows[topic].append([int(broker) for broker in brokers.split(",")])
    asked = {topic.name: topic.partitions for topic in plan.config.kafka.topics}
    if set(rows) != set(asked) | INTERNAL_TOPICS:
        yield f"assigned are {sorted(rows)}"
    yield from (
        f"{topic} has {len(rows.get(topic, ()))} partitions"
        for topic, partitions in asked.items()
        if len(rows.get(topic, ())) != partitions
    )
    yield from _copies(
        plan, {f"{topic}-{number}": held for topic, found in rows.items() for number, held in enumerate(found)}, rack
    )


def _copies(plan: StagePlan, copies: Mapping[str, list[int]], rack: Mapping[int, str]) -> Faults:
    kafka = plan.config.kafka
    least, promises = kafka.min_insync_replicas, _promises_a_host(plan)
    if least > kafka.replication_factor or (least == kafka.replication_factor and least > 1):
        yield f"{least} of {kafka.replication_factor} copies confirm a write"
    for partition, held in copies.items():
        if len(set(held)) != len(held) or len(held) != kafka.replication_factor or not set(held) <= set(rack):
            yield f"{partition} stands on {held}"
        elif promises:
            for server in plan.config.servers:
                if sum(rack[broker] != server for broker in held) < least:
                    yield f"{partition} has too few copies without {server}: {held}"


def commits_stand_on_two_servers(plan: StagePlan) -> Faults:
    for shard in range(1, plan.config.postgres.shards + 1):
        instances = [one for one in plan.containers if one.service == f"postgres-{shard}"]
        if len(instances) != plan.config.postgres.instances:
            yield f"shard {shard} has {len(instances)} instances"
        dynamic = _dynamic(plan, shard)
        if dynamic["synchronous_mode"] != (plan.config.postgres.synchronous_standbys > 0):
            yield f"shard {shard} is synchronous: {dynamic['synchronous_mode']}"
        if not dynamic["synchronous_mode"] or len(plan.config.servers) < 2:
            continue
        tags = [(one.host, yaml.safe_load(_file(one, "/etc/patroni/patroni.yml"))["tags"]) for one in instances]
        voting = [host for host, tag in tags if not tag["nosync"]]
        yield from (
            f"an instance on {host} may lead, not confirm"
            for host, tag in tags
            if tag["nosync"] and not tag["nofailover"]
        )
        confirming = min(dynamic["synchronous_node_count"], len(voting) - 1)
        if confirming < 1:
            yield f"nobody confirms a commit of shard {shard}"
        for group in set(combinations(sorted(voting), confirming + 1)):  # any primary with any standbys
            if len(set(group)) < 2:
                yield f"a commit of shard {shard} may stand on {group[0]} alone"


def connections_are_there(plan: StagePlan) -> Faults:
    poolers = [one for one in plan.containers if one.service == "pgbouncer"]
    settings = [
        dict(re.findall(r"^(\w+) = (\d+)$", _file(one, "/etc/pgbouncer/pgbouncer.ini"), re.M)) for one in poolers
    ]
    opened = plan.config.api.max_instances * int(plan.api.environment["DATABASE_POOL_SIZE"])
    yield from (
        f"{one.name} takes {of['max_client_conn']} of the API's {opened} connections"
        for one, of in zip(poolers, settings, strict=True)
        if opened > int(of["max_client_conn"])
    )
    pooled = sum(int(of["max_db_connections"]) for of in settings)
    for shard in range(1, plan.config.postgres.shards + 1):
        allowed = _dynamic(plan, shard)["postgresql"]["parameters"]["max_connections"]
        if not poolers or pooled + DIRECT_CONNECTIONS > allowed:
            yield f"{pooled} pooled connections of {allowed} at shard {shard}"


def archive_keeps_the_promise(plan: StagePlan) -> Faults:
    backup, rpo_seconds = plan.config.backup, plan.config.disaster_recovery.rpo_minutes * 60
    for shard in range(1, plan.config.postgres.shards + 1):
        parameters = _dynamic(plan, shard)["postgresql"]["parameters"]
        if ("offsite" in parameters["archive_command"]) != backup.wal_archive:
            yield f"shard {shard} archives by {parameters['archive_command']}"
        if backup.wal_archive and parameters["archive_timeout"] > rpo_seconds:
            yield f"shard {shard} archives every {parameters['archive_timeout']} s, promised are {rpo_seconds}"
    if backup.wal_retention_days * 86_400 < rpo_seconds:
        yield f"WAL of {backup.wal_retention_days} days is kept"


def api_is_sent_to_a_database(plan: StagePlan) -> Faults:
    elsewhere = plan.api.environment["DATABASE_HOST"] != "127.0.0.1"
    if elsewhere != (plan.recovery is not None and plan.recovery.restoring):
        yield f"the API is sent to {plan.api.environment['DATABASE_HOST']}"


@dataclass(frozen=True)
class _KafkaNode:
    number: int
    host: str
    roles: frozenset[str]


@dataclass(frozen=True)
class _CacheNode:
    host: str
    shard: int
    master: bool


def _promises_a_host(plan: StagePlan) -> bool:
    servers = len(plan.config.servers)
    return servers > 2 or (servers == 2 and plan.config.network.witness is not None)


def _kafka_nodes(plan: StagePlan) -> list[_KafkaNode]:
    nodes = []
    for one in plan.containers:
        if one.service == "kafka":
            lines = _file(one, "/etc/kafka/server.properties").splitlines()
            told = dict(line.split("=", 1) for line in lines if "=" in line)
            roles = frozenset(told["process.roles"].split(","))
            host = told["broker.rack"] if "broker" in roles else one.host
            nodes.append(_KafkaNode(int(told["node.id"]), host, roles))
    return nodes


def _cache_nodes(plan: StagePlan) -> list[_CacheNode]:
    """Run the cluster's script in the head: who joins as what, and who changes places."""
    members = [one for one in plan.containers if one.service == "redis"]
    if not members:
        return []
    address = {host.name: host.address for host in plan.hosts}
    host_of = {f"{address[one.host]}:{one.ports[0].published}": one.host for one in members}
    script = _file(_only(plan, "redis-cluster"), "/etc/dreamseed/job.sh")
    leaders, witnesses = (_matches(rf'^{name}="(.*)"$', script)[0].split() for name in ("leaders", "witnesses"))
    nodes = {
        at: _CacheNode(host_of[at], shard, master=at in leaders)
        for shard, placed in enumerate(_matches(r"^leader=\$\(head_of (.+)\)$", script), start=1)
        for at in placed.split()
    }
    nodes |= {at: _CacheNode(host_of[at], 0, master=True) for at in witnesses}
    missing = set(host_of) - set(nodes)
    assert not missing, f"the script leaves {missing} out"
    return list(nodes.values())


def _matches(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, re.M)


def _dynamic(plan: StagePlan, shard: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_file(_only(plan, f"pg-{shard}-configure"), "/etc/dreamseed/dynamic.json"))
    return content


def _only(plan: StagePlan, name: str) -> Container:
    found: Sequence[Container] = [one for one in plan.containers if one.name == name]
    assert len(found) == 1, f"{len(found)} containers {name}"
    return found[0]


def _file(one: Container, path: str) -> str:
    return next(file.text for file in one.files if file.path == path)


CHECKS: Collection[Callable[[StagePlan], Faults]] = (
    names_and_ports_are_taken_once,
    hosts_hold_what_stands_on_them,
    engines_have_cards_of_their_own,
    networks_do_not_overlap,
    order_is_whole,
    mounts_are_on_the_same_host,
    secrets_stand_in_private_files,
    voters_keep_a_majority,
    cache_is_shaped_as_asked,
    events_are_kept,
    commits_stand_on_two_servers,
    connections_are_there,
    archive_keeps_the_promise,
    api_is_sent_to_a_database,
)
