"""A stage that is as planned, made up from its plan: what Docker and the containers would answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dreamseed.planning import ports
from dreamseed.planning.container import Container
from dreamseed.planning.rights import PROCESSES_OF_A_USER, is_read_only
from dreamseed.planning.services.kafka import assignments, topic_settings
from dreamseed.planning.services.redis import Node
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks.monitoring import planned_rules, planned_targets
from localtier.checks.rights import Process
from localtier.checks.site import AskFailed, Site
from localtier.crossing import Crossing

Change = Callable[[str], str]
AUTOSCALER_METRICS = """1000030.5
# TYPE edu_autoscaler_leader gauge
edu_autoscaler_leader 1.0
# TYPE edu_autoscaler_last_success_timestamp_seconds gauge
edu_autoscaler_last_success_timestamp_seconds 1.0e+06
"""


class Stage:
    """The answers of a healthy stage; `break_answer` and `inspected` change what is seen."""

    def __init__(self, plan: StagePlan) -> None:
        self.plan = plan
        self.inspected = inspected(plan)
        self.processes = {pid: held(one) for pid, one in enumerate(plan.containers, start=1)}
        self.listening = {
            host.name: {(host.address, p.published) for c in plan.containers if c.host == host.name for p in c.ports}
            for host in plan.hosts
        }
        self.crossed = Crossing(sealed=120)
        self.credentials = {"postgres-application": "a-password-of-the-service", "grafana-cloud-user": "1234567890123"}
        self.logs: dict[str, str] = {}
        self.process_lists: dict[str, str] = {}
        self._changes: list[tuple[str, str, Change]] = []

    def break_answer(self, container: str, argument: str, change: Change) -> None:
        """Change what `container` answers to commands with `argument` in them."""
        self._changes.append((container, argument, change))

    @property
    def site(self) -> Site:
        """The stage as the checks see it."""
        return Site(
            plan=self.plan,
            inspected=self.inspected,
            exec_text=self.answer,
            credentials=self.credentials,
            log=lambda name: self.logs.get(name, ""),
            process_list=lambda name: self.process_lists.get(name, ""),
            listening=lambda host: frozenset(self.listening[host]),
            process=self.processes.__getitem__,
            crossing=lambda pid, own, others, over, *, port, beside: self.crossed,
        )

    def answer(self, container: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Answer as the container would."""
        said = " ".join(argv)
        text = _answer(self.plan, container, argv, said)
        for name, argument, change in self._changes:
            if name == container and argument in said:
                text = change(text)
        return text


def unreachable(container: str) -> Change:
    """Answer nothing."""

    def change(_: str) -> str:
        raise AskFailed(container, ["curl"], "Connection refused")

    return change


def replaced(old: str, new: str) -> Change:
    """Answer `new` instead of `old`, which must be there."""

    def change(text: str) -> str:
        assert old in text, f"{old} is not in {text}"
        return text.replace(old, new)

    return change


def held(container: Container) -> Process:
    """What the kernel says of a container's process."""
    return Process(
        uid=int((container.user or "0").partition(":")[0]),
        capabilities=1 << 12 if container.service in ("packet-filter", "wireguard") else 0,
        no_new_privileges=True,
        filtered=True,
        processes=PROCESSES_OF_A_USER,
        read_only=is_read_only(container),
    )


def inspected(plan: StagePlan) -> dict[str, dict[str, dict[str, Any]]]:
    """What Docker says of each container, by host and name."""
    address = {host.name: host.address for host in plan.hosts}
    hosts: dict[str, dict[str, dict[str, Any]]] = {host.name: {} for host in plan.hosts}
    for pid, one in enumerate(plan.containers, start=1):
        state: dict[str, Any] = {"Status": "exited" if one.job else "running", "ExitCode": 0}
        state["Pid"] = 0 if one.job else pid
        if one.health is not None:
            state["Health"] = {"Status": "healthy"}
        bound = () if one.host_network else one.ports
        ports = {f"{p.container}/tcp": [{"HostIp": address[one.host], "HostPort": str(p.published)}] for p in bound}
        hosts[one.host][one.name] = {"State": state, "RestartCount": 0, "NetworkSettings": {"Ports": ports}}
    return hosts


def _answer(plan: StagePlan, container: str, argv: Sequence[str], said: str) -> str:
    choice = {"message": {"role": "assistant", "content": "Yes."}}
    completion = {"object": "chat.completion", "model": plan.config.vllm.served_name, "choices": [choice]}
    answers: dict[str, Callable[[], str]] = {
        "member list": lambda: _etcd(plan),
        "endpoint health": lambda: "",
        "/cluster": lambda: json.dumps(_patroni(plan, int(container.split("-")[1]))),
        "pgbackrest": lambda: json.dumps([{"name": "shard-1", "status": {"code": 0, "message": "ok"}}]),
        "wireguard-link check": lambda: "",
        "select 1": lambda: "1\n",
        "pg_is_in_recovery": lambda: "t\n" if "5001" in argv else "f\n",
        "pg_stat_archiver": lambda: "t\n",
        "cluster nodes": lambda: _redis(plan, container),
        "kafka-metadata-quorum": lambda: _quorum(plan),
        "kafka-topics": lambda: _topics(plan),
        " ask http": lambda: "403\n" * (len(argv) - 6) + "401\n",
        "/v1/chat/completions": lambda: json.dumps(completion),
        "/api/v1/targets": lambda: json.dumps({"data": {"activeTargets": _targets(plan)}}),
        "/api/v1/rules": lambda: json.dumps({"data": {"groups": [{"rules": _rules(plan)}]}}),
        "/-/ready": lambda: "OK",
        f":{ports.AUTOSCALER}/metrics": lambda: AUTOSCALER_METRICS,
    }
    return next(answer() for asked, answer in answers.items() if asked in said)


def _etcd(plan: StagePlan) -> str:
    lines = [
        f"{number}a, started, etcd-{number}, http://{host.address}:2380, http://{host.address}:2379, false"
        for number, host in enumerate(plan.topology.etcd, start=1)
    ]
    return "\n".join(lines) + "\n"


def _patroni(plan: StagePlan, shard: int) -> dict[str, Any]:
    instances = plan.topology.shards[shard - 1]
    wanted = plan.config.postgres.synchronous_standbys
    members: list[dict[str, Any]] = []
    confirming = [one.name for one in instances[1:] if not one.asynchronous][:wanted]
    for one in instances:
        role = "leader" if one is instances[0] else "sync_standby" if one.name in confirming else "replica"
        members.append({"name": one.name, "role": role, "state": "running" if role == "leader" else "streaming"})
    return {"members": members}


def node_id(node: Node) -> str:
    """The made-up id of a node, as long as Redis' are."""
    return f"{node.number:040x}"


def _redis(plan: StagePlan, container: str) -> str:
    nodes = plan.topology.redis
    masters = {one.shard: one for one in nodes if one.master and one.shard}
    witnesses = [one for one in nodes if not one.shard]
    count = len(masters)
    rest = 16_384 - len(witnesses)
    slots = {
        masters[shard].name: f"{rest * (shard - 1) // count}-{rest * shard // count - 1}"
        for shard in range(1, count + 1)
    }
    slots |= {one.name: str(rest + index) for index, one in enumerate(witnesses)}
    table = ""
    for one in nodes:
        flags = ("myself," if one.name == container else "") + ("master" if one.master else "slave")
        master = "-" if one.master else node_id(masters[one.shard])
        at = f"{one.endpoint}@{one.port + 10_000}"
        table += f"{node_id(one)} {at} {flags} {master} 0 0 1 connected {slots.get(one.name, '')}".rstrip() + "\n"
    own = next(one for one in nodes if one.name == container)
    link = "role:master\r\n" if own.master else "role:slave\r\nmaster_link_status:up\r\n"
    return f"cluster_state:ok\r\ncluster_slots_assigned:16384\r\n====\n{table}====\n# Replication\r\n{link}"


def _quorum(plan: StagePlan) -> str:
    voters = [{"id": one.number} for one in plan.topology.kafka if one.controller]
    observers = [{"id": one.number} for one in plan.topology.kafka if not one.controller]
    return (
        f"ClusterId:   x\nLeaderId:   {voters[0]['id']}\nCurrentVoters:   {json.dumps(voters)}\n"
        f"CurrentObservers:   {json.dumps(observers)}\n"
    )


def _topics(plan: StagePlan) -> str:
    config = plan.config
    settings = {topic.name: topic_settings(config, topic) for topic in config.kafka.topics}
    text = ""
    for topic, rows in assignments(config, [one for one in plan.topology.kafka if one.broker]).items():
        if topic == "__transaction_state":
            continue  # not used yet, so not there yet
        said = ",".join(f"{key}={value}" for key, value in settings.get(topic, {}).items())
        text += f"Topic: {topic}\tTopicId: x\tPartitionCount: {len(rows)}\tReplicationFactor: 3\tConfigs: {said}\n"
        for row in rows:
            held = ",".join(map(str, row["replicas"]))
            number = row["partition"]
            text += f"\tTopic: {topic}\tPartition: {number}\tLeader: 1\tReplicas: {held}\tIsr: {held}\tElr: \n"
    return text


def _targets(plan: StagePlan) -> list[dict[str, Any]]:
    prometheus: Container = next(one for one in plan.containers if one.service == "prometheus")
    return [
        {"labels": {"job": job, "instance": instance}, "health": "up", "lastError": ""}
        for job, instance in sorted(planned_targets(prometheus))
    ]


def _rules(plan: StagePlan) -> list[dict[str, Any]]:
    prometheus: Container = next(one for one in plan.containers if one.service == "prometheus")
    return [{"name": name, "health": "ok", "lastError": ""} for name in planned_rules(prometheus).elements()]
