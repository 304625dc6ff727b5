from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.planning.services import kafka
from dreamseed.planning.services.kafka import Node, assignment, in_order, plan_nodes
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import WITNESS, configured, container, file, planned, server, shipped

E = shipped("stage-e")


def nodes(servers: int, *, witness: bool, **section: Any) -> tuple[Node, ...]:
    fleet = {f"server-{n}": server(n) for n in range(1, servers + 1)}
    change = {"servers": fleet, "network": {"witness": WITNESS if witness else None}}
    hosts = planned("stage-b", change | {"postgres": {"max_connections": 600}}).hosts
    return plan_nodes(configured("stage-c", change | {"kafka": section}), hosts)


def voting(members: tuple[Node, ...]) -> list[str]:
    return [node.name for node in members if node.controller]


@pytest.mark.parametrize(
    ("servers", "witness", "section", "expected"),
    [
        (1, False, {"brokers": 3}, ["kafka-1", "kafka-2", "kafka-3"]),
        (1, False, {"brokers": 1, "replication_factor": 1, "min_insync_replicas": 1}, ["kafka-1"]),
        (1, False, {"brokers": 2, "replication_factor": 2, "min_insync_replicas": 1}, ["kafka-1"]),
        (1, True, {"brokers": 3}, ["kafka-1", "kafka-2", "kafka-3"]),
        (2, False, {"brokers": 5}, ["kafka-1", "kafka-2", "kafka-3"]),
        (2, True, {"brokers": 5}, ["kafka-1", "kafka-4", "kafka-witness"]),
        (3, False, {"brokers": 6}, ["kafka-1", "kafka-3", "kafka-5"]),
        (3, True, {"brokers": 6}, ["kafka-1", "kafka-3", "kafka-witness"]),
        (2, True, {"brokers": 3, "placement": {"server-1": 3}}, ["kafka-1", "kafka-2", "kafka-3"]),
    ],
)
def test_an_odd_number_votes_one_on_each_of_three_hosts_where_there_are_three(
    servers: int, witness: bool, section: dict[str, Any], expected: list[str]
) -> None:
    members = nodes(servers, witness=witness, **section)
    assert voting(members) == expected
    assert len(expected) % 2 == 1


def test_new_voters_come_before_old_ones_go() -> None:
    order = [node.name for node in in_order(plan_nodes(E.config, E.hosts))]
    assert order == ["kafka-1", "kafka-4", "kafka-witness", "kafka-2", "kafka-3", "kafka-5"]
    assert [one.name for one in E.kafka.containers if not one.job] == order


def test_every_node_asks_old_and_new_voters_for_the_leader_for_it_may_be_any_of_them() -> None:
    may_lead = {"kafka-1", "kafka-2", "kafka-3", "kafka-4", "kafka-witness"}
    wanted = {
        f"{node.address}:{node.controller_port}" for node in plan_nodes(E.config, E.hosts) if node.name in may_lead
    }
    for one in (one for one in E.kafka.containers if not one.job):
        properties = file(one, "/etc/kafka/server.properties").text
        asked = re.search(r"^controller\.quorum\.bootstrap\.servers=(.*)$", properties, re.MULTILINE)
        assert asked, one.name
        assert set(asked[1].split(",")) == wanted, one.name


def test_only_a_node_without_a_vote_forgets_its_votes() -> None:
    scripts = {one.name: file(one, "/etc/dreamseed/node.sh").text for one in E.kafka.containers if not one.job}
    forgets = {name for name, script in scripts.items() if re.search(r"^rm -f .*/quorum-state$", script, re.MULTILINE)}
    assert forgets == {"kafka-2", "kafka-3", "kafka-5"}


def majorities(order: list[str]) -> list[bool]:
    """Whether a majority of the votes is alive while each container in `order` is replaced, growing from stage D."""
    votes = {"kafka-1", "kafka-2", "kafka-3"}
    stays = {"kafka-1", "kafka-4", "kafka-witness"}
    kept = []
    for name in order:
        alive = votes - {name}
        kept.append(2 * len(alive) > len(votes))
        if not kept[-1]:
            break
        votes = (votes | {name}) if name in stays else (votes - {name})
    return kept


def test_a_majority_lives_through_every_step_of_the_promotion() -> None:
    assert majorities([one.name for one in E.kafka.containers if not one.job]) == [True] * 6


def test_in_the_order_of_their_numbers_the_majority_would_be_lost() -> None:
    numbered = ["kafka-1", "kafka-2", "kafka-3", "kafka-4", "kafka-5", "kafka-witness"]
    assert majorities(numbered)[-1] is False


def node_script(plan: StagePlan, name: str) -> str:
    return file(container(plan, name), "/etc/dreamseed/node.sh").text


def test_a_joining_voter_is_healthy_only_when_it_votes() -> None:
    for name in ("kafka-4", "kafka-witness"):
        one = container(E, name)
        assert one.health is not None
        assert "[ -f /tmp/dreamseed-joined ]" in one.health.test[-1]
        assert "add-controller" in node_script(E, name)
    founder = container(E, "kafka-1")
    assert founder.health is not None
    assert "dreamseed-joined" not in founder.health.test[-1]


def test_a_broker_that_votes_no_longer_leaves_the_quorum_before_it_runs() -> None:
    text = node_script(E, "kafka-2")
    assert text.index("remove-controller") < text.index("exec $bin/kafka-server-start.sh")
    assert "join &" not in text
    assert "remove-controller" not in node_script(E, "kafka-5"), "it never voted"


def test_only_the_founder_makes_a_quorum() -> None:
    founders = [
        one.name for one in E.kafka.containers if not one.job and "--initial-controllers" in node_script(E, one.name)
    ]
    assert founders == ["kafka-1"]


def properties(plan: StagePlan, name: str) -> dict[str, str]:
    text = file(container(plan, name), "/etc/kafka/server.properties").text
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_server_is_a_rack_and_kafkas_own_topics_have_as_many_copies_as_the_others() -> None:
    racks = {name: properties(E, name)["broker.rack"] for name in ("kafka-1", "kafka-3", "kafka-4", "kafka-5")}
    assert racks == {"kafka-1": "server-1", "kafka-3": "server-1", "kafka-4": "server-2", "kafka-5": "server-2"}
    said = properties(E, "kafka-1")
    assert said["offsets.topic.replication.factor"] == said["transaction.state.log.replication.factor"] == "4"
    assert said["min.insync.replicas"] == said["transaction.state.log.min.isr"] == "2"
    assert "broker.rack" not in properties(E, "kafka-witness")


def test_each_node_advertises_what_it_publishes() -> None:
    address = {host.name: host.address for host in E.hosts}
    for one in E.kafka.containers:
        if one.job:
            continue
        advertised = properties(E, one.name)["advertised.listeners"].split(",")
        published = {str(port.published) for port in one.ports}
        assert {listener.rsplit(":", 1)[1] for listener in advertised} == published
        inside = [listener for listener in advertised if not listener.startswith("TUNNEL")]
        assert all(f"//{address[one.host]}:" in listener for listener in inside)


@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 12),
)
def test_copies_stand_on_brokers_of_their_own_and_evenly_on_the_servers(
    servers: int, each: int, copies: int, partitions: int
) -> None:
    copies = min(copies, servers * each)
    members = tuple(
        Node(name=f"kafka-{i + 1}", number=i + 1, host=host, broker=True, controller=False)
        for i, host in enumerate(h for h in FLEET[:servers] for _ in range(each))
    )
    rack = {node.number: node.host.name for node in members}
    rows = assignment("events", partitions, copies, members)
    assert [row["partition"] for row in rows] == list(range(partitions))
    for row in rows:
        held = row["replicas"]
        assert len(set(held)) == copies
        counts = [sum(rack[number] == host.name for number in held) for host in FLEET[:servers]]
        assert max(counts) - min(counts) <= 1


FLEET = planned(
    "stage-b", {"servers": {f"server-{n}": server(n) for n in (1, 2, 3)}, "postgres": {"max_connections": 600}}
).hosts


def test_the_job_places_the_service_s_topics_and_kafkas_own() -> None:
    job = container(E, "kafka-cluster")
    rows = [line.split() for line in file(job, "/etc/dreamseed/placement").text.splitlines()]
    partitions = Counter(topic for topic, _, _ in rows)
    own = dict.fromkeys(("user-events", "learning-events", "generation-events"), 12)
    assert partitions == {**own, **dict.fromkeys(kafka.INTERNAL_TOPICS, 50)}
    assert {len(brokers.split(",")) for _, _, brokers in rows} == {4}


def test_a_new_topic_is_born_where_the_plan_places_it() -> None:
    job = container(E, "kafka-cluster")
    script = file(job, "/etc/dreamseed/job.sh").text
    for topic in E.config.kafka.topics:
        born = re.search(rf'^topic {topic.name} 12 (\S+) "(.+)"$', script, re.M)
        assert born is not None
        rows = [line.split() for line in file(job, "/etc/dreamseed/placement").text.splitlines()]
        assert born[1].split(",") == [held.replace(",", ":") for name, _, held in rows if name == topic.name]
        assert born[2] == f"min.insync.replicas=2 retention.ms={topic.retention_hours * 3_600_000}"


def test_there_is_no_stream_before_the_third_stage() -> None:
    assert shipped("stage-b").kafka.containers == ()
    assert shipped("stage-c").kafka.containers != ()
