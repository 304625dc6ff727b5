"""The docker cloud on a real Docker Engine: what an engine in memory cannot tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from rehearsal.providers.docker.cloud import DockerCloud
from rehearsal.providers.docker.engines import Engines
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import Found, HalfMadeError, RefusedError, Subject
from rehearsal.providers.values import Secret, Values
from tests.rehearsal.providers.docker import real
from tests.rehearsal.providers.given import CONTAINER, IMAGE, NETWORK, VOLUME

pytestmark = pytest.mark.docker
LABELS = [{"label": "managed-by", "value": "us"}]
HEALTH = {"interval": "30s", "timeout": "5s", "retries": 3, "startPeriod": "30s"}


class Real:
    """The cloud over the one engine, driven as the servicer drives it; remembers what it made."""

    def __init__(self, api: APIClient, folder: Path) -> None:
        self.api = api
        self.cloud = DockerCloud(Engines(real.docker_hosts(folder)))
        self.judge = TableJudge()
        self.made: list[tuple[Subject, Found]] = []
        self.image = self.create(IMAGE, {"name": real.REFERENCE, "keepLocally": True}).outputs["imageId"]

    @staticmethod
    def subject(token: str, name: str) -> Subject:
        return Subject(token, f"urn:pulumi:dev::proj::{token}::{name}", name, {"host": real.HOST})

    def create(self, token: str, inputs: Values) -> Found:
        subject = self.subject(token, inputs["name"])
        checked = self.judge.check(subject, inputs, {}, b"seed")
        assert checked.failures == []
        found = self.cloud.create(subject, checked.inputs, self.judge.plan_create(subject, checked.inputs))
        self.made.append((subject, found))
        return found

    def container(self, name: str, **inputs: object) -> Found:
        return self.create(CONTAINER, {"name": real.PREFIX + name, "image": self.image} | inputs)

    def read(self, known: Found) -> Found:
        subject = next(subject for subject, found in self.made if found.id == known.id)
        found = self.cloud.read(subject, known.id, known.inputs, known.outputs)
        assert found is not None
        return found

    def changes(self, known: Found) -> dict[str, bool]:
        subject = next(subject for subject, found in self.made if found.id == known.id)
        difference = self.judge.diff(subject, known.inputs, self.read(known).outputs, known.inputs, [])
        return {change.path: change.replaces for change in difference.changes}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Real]:
    api = real.engine_with_tiny_image()
    made = Real(api, tmp_path)
    yield made
    for subject, found in reversed(made.made):
        if subject.token != IMAGE:
            made.cloud.delete(subject, found.id, found.outputs)
    assert real.containers(api) == []
    api.close()


def test_everything_that_the_program_declares_reads_back_as_declared(world: Real) -> None:
    subnet = {"subnet": "10.199.7.0/24", "gateway": "10.199.7.1"}
    network = {"name": f"{real.PREFIX}data", "driver": "bridge", "ipamConfigs": [subnet], "labels": LABELS}
    volume = {"name": f"{real.PREFIX}volume", "labels": LABELS}
    known = [world.create(NETWORK, network), world.create(VOLUME, volume)]
    assert world.create(NETWORK, network).id == known[0].id
    known.append(
        world.container(
            "full",
            hostname="full",
            command=["sh", "-c", "cat /etc/secret; touch /data/kept; exec sleep 1000"],
            envs=["B=2", "A=1"],
            user="0",
            uploads=[{"file": "/etc/secret", "content": Secret("hunter2\n"), "permissions": "0400", "owner": "0"}],
            volumes=[
                {"volumeName": f"{real.PREFIX}volume", "containerPath": "/data", "readOnly": False},
                {"hostPath": "/etc/hostname", "containerPath": "/host", "readOnly": True},
            ],
            networksAdvanced=[{"name": f"{real.PREFIX}data", "aliases": ["full", "b", "a"]}],
            ports=[{"internal": 8080, "external": 18089, "ip": "127.0.0.1", "protocol": "tcp"}],
            memory=64,
            memorySwap=64,
            cpuShares=102,
            shmSize=32,
            ulimits=[{"name": "nofile", "soft": 1000, "hard": 2000}],
            capabilities={"adds": ["NET_ADMIN"]},
            securityOpts=["no-new-privileges:true"],
            init=True,
            logDriver="json-file",
            logOpts={"max-size": "50m", "max-file": "3"},
            labels=[{"label": "service", "value": "x"}, *LABELS],
            healthcheck={"tests": ["CMD-SHELL", "test -e /data/kept"], **HEALTH},
            restart="unless-stopped",
            mustRun=True,
            wait=True,
            waitTimeout=60,
            stopTimeout=1,
            destroyGraceSeconds=1,
            tmpfs={"/run": "rw,size=1m"},
        )
    )
    for found in known:
        assert world.read(found) == found
        assert world.changes(found) == {}
    assert world.api.logs(f"{real.PREFIX}full") == b"hunter2\n"


def test_health_does_not_wait_for_the_first_probe_of_the_engine(world: Real) -> None:
    started = time.monotonic()
    world.container(
        "late",
        command=["sh", "-c", "sleep 1; touch /ready; exec sleep 1000"],
        healthcheck={"tests": ["CMD", "test", "-e", "/ready"], **HEALTH},
        wait=True,
        waitTimeout=60,
    )
    # Not a bound of speed: the engine's own first probe comes after 30 s.
    assert time.monotonic() - started < 25
    state = world.api.inspect_container(f"{real.PREFIX}late")["State"]
    assert state["Health"]["Status"] == "starting"


def test_limits_changed_by_hand_are_seen_and_brought_back_in_place(world: Real) -> None:
    box = world.container("box", memory=64, memorySwap=64, cpuShares=100, restart="unless-stopped")
    limits: Any = {"mem_limit": 32 * 2**20, "memswap_limit": 40 * 2**20, "cpu_shares": 50}
    limits["restart_policy"] = {"Name": "no"}
    world.api.update_container(box.id, **limits)
    assert world.changes(box) == dict.fromkeys(("memory", "memorySwap", "cpuShares", "restart"), False)
    subject = world.subject(CONTAINER, f"{real.PREFIX}box")
    planned = world.judge.plan_update(subject, world.read(box).outputs, box.inputs)
    outputs = world.cloud.update(subject, box.id, box.inputs, planned)
    assert world.changes(Found(box.id, box.inputs, outputs)) == {}


def test_a_limit_that_docker_cannot_take_away_is_refused_instead_of_forgotten(world: Real) -> None:
    box = world.container("box", memory=64, memorySwap=64, cpuShares=100)
    subject = world.subject(CONTAINER, f"{real.PREFIX}box")
    wanted = {key: value for key, value in box.inputs.items() if key not in {"memory", "memorySwap"}}
    planned = world.judge.plan_update(subject, box.outputs, wanted)
    with pytest.raises(RefusedError, match="did not make it: memory is 64"):
        world.cloud.update(subject, box.id, wanted, planned)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"command": ["sh", "-c", "echo oops; exit 3"], "attach": True, "mustRun": False}, "exit code 3;.*\noops"),
        ({"command": ["sh", "-c", "echo oops; exit 4"]}, "exited immediately with exit code 4;.*\noops"),
        ({"command": ["/nothing"]}, "no such file"),
        (
            {"healthcheck": {"tests": ["CMD", "sh", "-c", "echo ill; exit 1"], "interval": "1s"}, "wait": True}
            | {"waitTimeout": 3},
            "not healthy within 3 s; its health test last said .*: ill",
        ),
    ],
)
def test_a_failure_from_the_start_on_says_why_and_leaves_the_container_to_the_engine(
    world: Real, inputs: Values, said: str
) -> None:
    with pytest.raises(HalfMadeError, match=said) as refused:
        world.container("bad", **inputs)
    assert real.containers(world.api) == [f"{real.PREFIX}bad"]
    subject = world.subject(CONTAINER, f"{real.PREFIX}bad")
    world.cloud.delete(subject, refused.value.found.id, refused.value.found.outputs)


def test_a_newer_create_ends_one_that_still_waits_and_takes_its_container_away(world: Real) -> None:
    waiting = {"healthcheck": {"tests": ["CMD", "test", "-e", "/ready"], **HEALTH}, "wait": True, "waitTimeout": 300}
    said: list[str] = []

    def old() -> None:
        try:
            world.container("box", command=["sleep", "1000"], **waiting)
        except RefusedError as refused:
            said.append(str(refused))

    thread = threading.Thread(target=old)
    thread.start()
    while not real.exists(world.api, f"{real.PREFIX}box"):
        time.sleep(0.05)
    world.container("box", command=["sh", "-c", "touch /ready; exec sleep 1000"], **waiting)
    thread.join(30)
    assert "a newer call for the same resource has come" in said[0]
    assert real.containers(world.api) == [f"{real.PREFIX}box"]


def test_a_container_of_somebody_else_stays(world: Real) -> None:
    foreign = world.api.create_container(world.image, name=f"{real.PREFIX}box")["Id"]
    with pytest.raises(RefusedError, match="it is left alone"):
        world.container("box")
    assert world.api.inspect_container(f"{real.PREFIX}box")["Id"] == foreign
    world.api.remove_container(foreign)
