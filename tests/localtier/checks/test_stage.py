from __future__ import annotations

import pytest

from localtier.checks.finding import Finding
from localtier.checks.site import AskFailed, Site
from localtier.checks.stage import CHECKS, look, run, wait
from localtier.crossing import Crossing
from tests.localtier.checks.healthy import Change, Stage, replaced, unreachable
from tests.planning.stages import STAGE_NAMES, shipped


def bad(findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if not finding.ok]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_nothing_is_found_against_a_stage_that_is_as_planned(name: str) -> None:
    findings = look(Stage(shipped(name)).site)
    assert [one for one in findings if not one.ok] == []
    assert len(findings) > 10


BROKEN: list[tuple[str, str, Change, str]] = [
    ("etcd-1", "member list", replaced("2a, started, etcd-2,", "2a, unstarted, ,"), "etcd: every member is started"),
    ("etcd-1", "member list", replaced("2379, false\n3a", "2379, true\n3a"), "etcd: every member is started and votes"),
    ("etcd-1", "member list", lambda text: text.split("3a")[0], "etcd: members"),
    ("etcd-1", "endpoint health", unreachable("etcd-1"), "etcd"),
    ("server-2-wireguard", "check", unreachable("server-2-wireguard"), "links"),
    ("pg-1-1", "/cluster", replaced('"leader", "state": "running"', '"replica", "state": "streaming"'), "leaders"),
    ("pg-1-1", "/cluster", replaced('"role": "replica"', '"role": "leader"'), "leaders that run"),
    ("pg-1-1", "/cluster", replaced('"replica", "state": "streaming"', '"replica", "state": "starting"'), "stream"),
    ("pg-1-1", "/cluster", replaced("sync_standby", "replica"), "synchronous standbys"),
    ("pg-1-1", "/cluster", replaced('"pg-1-4"', '"pg-1-5"'), "members"),
    ("pg-1-1", "/cluster", replaced('"running"', '"running", "pending_restart": true'), "waits for a restart"),
    ("pg-1-1", "/cluster", replaced('{"members"', '{"pause": true, "members"'), "Patroni is in charge"),
    ("pg-1-1", "/cluster", replaced('"pg-1-3", "role": "replica"', '"pg-1-3", "role": "sync_standby"'), "asynchronous"),
    ("pg-1-1", "pgbackrest", replaced('0, "message": "ok"', '2, "message": "no valid backups"'), "backup repository"),
    ("pg-1-1", "pg_stat_archiver", lambda _: "f\n", "WAL is archived"),
    ("pg-1-1", "pgbouncer-2", lambda _: "", "pgbouncer-2 answers"),
    ("pg-1-4", "pgbouncer-3", unreachable("pgbouncer-3"), "database access"),
    ("pg-1-1", "pg-proxy-1-1 -p 5000", lambda _: "t\n", "pg-proxy-1-1 leads to primary"),
    ("redis-1", "cluster", replaced("cluster_state:ok", "cluster_state:fail"), "cache: state and 16384 slots"),
    ("redis-1", "cluster", replaced("assigned:16384", "assigned:16383"), "cache: state and 16384 slots"),
    ("redis-6", "cluster", replaced("status:up", "status:down"), "cache: links to masters"),
    ("redis-3", "cluster", replaced("10.20.0.12:6405@16405 master", ":0@0 master,noaddr"), "cache: nobody is lost"),
    ("redis-3", "cluster", replaced("6405@16405 master", "6405@16405 master,fail"), "cache: nobody is lost"),
    ("redis-3", "cluster", replaced("10.20.0.12:6404@", "10.20.0.12:6409@"), "cache: nobody is lost"),
    ("redis-1", "cluster", replaced("connected 0-5459", "connected 0-5459 [9->-ab]"), "cache: nobody is lost"),
    (
        "redis-4",
        "cluster",
        replaced("slave " + f"{1:040x}", "slave " + f"{5:040x}"),
        "cache: each shard has one master",
    ),
    ("redis-5", "cluster", replaced("myself,master", "myself,slave"), "cache: masters of shards"),
    ("redis-witness-2", "cluster", replaced("connected 16383", "connected"), "cache: each witness holds a slot"),
    ("kafka-1", "quorum", replaced('{"id": 100}', '{"id": 2}'), "events: voters"),
    ("kafka-1", "quorum", replaced('[{"id": 2}, ', "["), "events: brokers that follow"),
    ("kafka-1", "quorum", replaced("LeaderId:   1", "LeaderId:   -1"), "events: the quorum has a leader"),
    ("kafka-1", "topics", replaced("Replicas: 1,5,2,4\tIsr: 1,5,2,4", "Replicas: 1,5,2,4\tIsr: 1,5,2"), "in sync"),
    ("kafka-1", "topics", replaced("user-events\tPartition: 11", "x\tPartition: 11"), "partitions of user-events"),
    ("kafka-1", "topics", replaced("Replicas: 1,5,2,4\tIsr: 1,5,2,4", "Replicas: 5,1,2,4\tIsr: 5,1,2,4"), "placement"),
    ("kafka-1", "topics", replaced("retention.ms=604800000", "retention.ms=1"), "settings of user-events"),
    ("kafka-1", "topics", lambda _: "", "partitions of user-events"),
    ("server-1-vllm-1", " chat ", replaced("Yes.", " "), "vllm-router-1 answers a chat"),
    ("server-1-vllm-1", " chat ", lambda _: "<html>", "model"),
    ("server-1-vllm-1", " ask ", replaced("403\n", "200\n"), "forbidden requests are refused"),
    ("server-1-vllm-1", " ask ", replaced("401\n", "503\n"), "without a key reaches an engine"),
    ("server-1-vllm-1", " ask ", lambda text: text[4:], "answers"),
    ("prometheus", "targets", replaced('"instance": "etcd-2"', '"instance": "etcd-9"'), "targets are up"),
    ("prometheus", "targets", lambda text: text.replace('"up"', '"down"', 1), "targets are up"),
    ("prometheus", "rules", replaced('"name": "PgDown"', '"name": "PgUp"'), "rules are evaluated"),
    ("prometheus", "rules", lambda text: text.replace('"ok"', '"err"', 1), "rules are evaluated"),
    ("alertmanager", "ready", unreachable("alertmanager"), "alertmanager"),
    ("autoscaler", "metrics", unreachable("autoscaler"), "autoscaler"),
    ("autoscaler", "metrics", replaced("leader 1.0", "leader 0.0"), "autoscaler decides"),
    ("autoscaler", "metrics", replaced("seconds 1.0e+06", "seconds 0.0"), "autoscaler decides"),
    ("autoscaler", "metrics", replaced("seconds 1.0e+06", "seconds 999909"), "autoscaler decides"),
    ("autoscaler", "metrics", lambda _: "1000030.5\n", "autoscaler"),
]


@pytest.mark.parametrize(("container", "argument", "change", "what"), BROKEN, ids=[f"{c} {w}" for c, _, _, w in BROKEN])
def test_what_is_broken_is_found(container: str, argument: str, change: Change, what: str) -> None:
    stage = Stage(shipped("stage-e"))
    stage.break_answer(container, argument, change)
    assert any(what in one for one in bad(look(stage.site)))


def test_every_check_has_a_broken_stage_that_it_finds() -> None:
    caught: set[str] = {"containers", "published ports", "rights", "secrets"}  # below, and beside this file
    for container, argument, change, _ in BROKEN:
        stage = Stage(shipped("stage-e"))
        stage.break_answer(container, argument, change)
        caught |= {name for name in CHECKS if bad(run(name, stage.site))}
    assert caught == set(CHECKS)


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("redis-1", {"Status": "running", "Health": {"Status": "starting", "Log": [{}]}}, "redis-1 is starting"),
        ("redis-1", {"Status": "exited", "ExitCode": 137}, "redis-1 is exited (137)"),
        ("redis-cluster", {"Status": "exited", "ExitCode": 1}, "redis-cluster is exited (1)"),
        ("redis-cluster", {"Status": "running", "ExitCode": 0}, "redis-cluster is running"),
        ("redis-1", None, "redis-1 does not exist"),
    ],
)
def test_a_container_that_is_not_as_planned_is_named(name: str, state: dict[str, object] | None, said: str) -> None:
    stage = Stage(shipped("stage-e"))
    if state is None:
        del stage.inspected["server-1"][name]
    else:
        stage.inspected["server-1"][name]["State"] = state
    assert said in [one.detail for one in run("containers", stage.site)]


def test_a_container_that_docker_has_not_tried_yet_is_tried_by_its_own_test() -> None:
    stage = Stage(shipped("stage-e"))
    stage.inspected["server-1"]["prometheus"]["State"]["Health"] = {"Status": "starting", "Log": []}
    assert bad(run("containers", stage.site)) == []
    stage.break_answer("prometheus", "ready", unreachable("prometheus"))
    assert bad(run("containers", stage.site)) == ["containers of server-1"]


@pytest.mark.parametrize(
    ("crossed", "said"),
    [
        (Crossing(sealed=0), "0 packets of WireGuard in 3 s: nothing is shown"),
        (Crossing(sealed=90, plain=2, shown=("TCP from 10.20.0.12 to 10.20.0.11 to port 2380",)), "2 others beside 90"),
    ],
)
def test_what_crosses_between_servers_unsealed_is_told_and_so_is_that_nothing_crosses(
    crossed: Crossing, said: str
) -> None:
    stage = Stage(shipped("stage-e"))
    assert [one.detail for one in run("links", stage.site) if one.detail] == ["120 packets of WireGuard in 3 s"] * 2
    stage.crossed = crossed
    faults = [one.detail for one in run("links", stage.site) if not one.ok]
    assert len(faults) == 2
    assert all(said in fault for fault in faults)
    assert run("links", Stage(shipped("stage-d")).site) == []


def test_a_container_that_nobody_planned_is_named_and_a_restart_is_told_without_blame() -> None:
    stage = Stage(shipped("stage-a"))
    stage.inspected["server-1"]["etcd-1"]["RestartCount"] = 2
    [finding] = run("containers", stage.site)
    assert (finding.ok, finding.detail) == (True, "restarted: etcd-1 × 2")
    stage.inspected["server-1"]["stray"] = stage.inspected["server-1"]["etcd-1"]
    [finding] = run("containers", stage.site)
    assert not finding.ok
    assert "stray is not planned" in finding.detail


def test_a_port_that_is_open_to_all_is_found() -> None:
    stage = Stage(shipped("stage-e"))
    stage.inspected["server-2"]["redis-5"]["NetworkSettings"]["Ports"]["6405/tcp"][0]["HostIp"] = "0.0.0.0"
    assert bad(run("published ports", stage.site)) == ["published ports of server-2"]


@pytest.mark.parametrize(("address", "found"), [("0.0.0.0", True), ("*", True), ("::", True), ("127.0.0.1", False)])
def test_what_listens_beside_the_published_ports_is_found_except_on_loopback(address: str, found: bool) -> None:
    stage = Stage(shipped("stage-e"))
    stage.listening["witness"].add((address, 22))
    assert bad(run("published ports", stage.site)) == ["nothing else listens on witness"] * found


def test_kafkas_own_topics_may_stand_elsewhere_as_long_as_the_servers_share_them_alike() -> None:
    stage = Stage(shipped("stage-e"))
    line = "__consumer_offsets\tPartition: 0\tLeader: 1\tReplicas: 1,5,2,4\tIsr: 1,5,2,4"
    stage.break_answer("kafka-1", "topics", replaced(line, line.replace("1,5,2,4", "3,4,2,5")))
    assert bad(run("events", stage.site)) == []
    stage.break_answer(
        "kafka-1", "topics", replaced("Replicas: 3,4,2,5\tIsr: 3,4,2,5", "Replicas: 3,4,2,1\tIsr: 3,4,2,1")
    )
    assert bad(run("events", stage.site)) == ["events: placement of __consumer_offsets"]


def test_a_leader_that_is_away_leaves_the_question_to_the_next_instance() -> None:
    stage = Stage(shipped("stage-e"))
    stage.break_answer("pg-1-1", "/cluster", unreachable("pg-1-1"))
    assert bad(run("postgres", stage.site)) == []


def test_waiting_ends_when_everything_passes_and_repeats_only_what_did_not() -> None:
    stage = Stage(shipped("stage-b"))
    asked: list[str] = []
    tries = iter([True, True, False])

    def flaky(text: str) -> str:
        asked.append("ready")
        if next(tries):
            raise AskFailed("alertmanager", ["wget"], "Connection refused")
        return text

    def count(text: str) -> str:
        asked.append("etcd")
        return text

    stage.break_answer("alertmanager", "ready", flaky)
    stage.break_answer("etcd-1", "member list", count)
    findings = wait(lambda: stage.site, 5, pause_seconds=0)
    assert bad(findings) == []
    assert asked == ["etcd", "ready", "ready", "ready"]


def test_waiting_ends_with_what_is_wrong_when_the_time_is_up() -> None:
    stage = Stage(shipped("stage-b"))
    stage.break_answer("alertmanager", "ready", unreachable("alertmanager"))
    sites: list[Site] = []

    def look_again() -> Site:
        sites.append(stage.site)
        return stage.site

    assert bad(wait(look_again, 0, pause_seconds=0)) == ["alertmanager"]
    assert len(sites) == 1
