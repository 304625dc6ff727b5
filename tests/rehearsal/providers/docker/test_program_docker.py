"""A Pulumi program on a real Docker Engine: the engine, the table judge and the docker cloud together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pytest
from docker.api.client import APIClient
from docker.errors import NotFound
from pulumi import automation

from rehearsal.providers.host import PROJECT, ProviderHost
from tests.rehearsal.providers.docker import real
from tests.rehearsal.providers.test_engine import stack_of, steps

pytestmark = [pytest.mark.engine, pytest.mark.docker]
SECRET = "hunter2-of-the-container"
DATABASE, READER, JOB = (real.PREFIX + name for name in ("database", "reader", "job"))
START = "cat /etc/secret > /data/copy; touch /ready; exec sleep 1000"


class Program:
    """A network, a volume, a database that must be healthy, a reader after it, and a job; attributes change."""

    command = START
    memory = 64
    restart = "unless-stopped"

    def __call__(self) -> None:
        """Declare everything behind one provider."""
        import pulumi_docker as docker

        here = pulumi.ResourceOptions(provider=docker.Provider("server", host=real.HOST))
        labels = [docker.NetworkLabelArgs(label="managed-by", value="us")]
        network = docker.Network("data", name=f"{real.PREFIX}data", labels=labels, opts=here)
        image = docker.RemoteImage("tiny", name=real.REFERENCE, keep_locally=True, opts=here)
        volume = docker.Volume("volume", name=f"{real.PREFIX}volume", opts=here)
        joined = [docker.ContainerNetworksAdvancedArgs(name=network.name, aliases=["db", "a"])]
        healthcheck = docker.ContainerHealthcheckArgs(
            tests=["CMD", "test", "-e", "/ready"], interval="30s", timeout="5s", retries=3, start_period="60s"
        )
        database = docker.Container(
            "database",
            name=DATABASE,
            image=image.image_id,
            command=["sh", "-c", self.command],
            uploads=[
                docker.ContainerUploadArgs(file="/etc/secret", content=pulumi.Output.secret(SECRET), permissions="0400")
            ],
            volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path="/data")],
            networks_advanced=joined,
            memory=self.memory,
            memory_swap=self.memory,
            healthcheck=healthcheck,
            wait=True,
            wait_timeout=120,
            restart=self.restart,
            init=True,
            labels=[docker.ContainerLabelArgs(label="service", value="database")],
            opts=pulumi.ResourceOptions.merge(here, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        after = pulumi.ResourceOptions.merge(here, pulumi.ResourceOptions(depends_on=[database]))
        docker.Container("reader", name=READER, image=image.image_id, networks_advanced=joined, opts=after)
        docker.Container(
            "job",
            name=JOB,
            image=image.image_id,
            command=["sh", "-c", "echo done"],
            networks_advanced=joined,
            must_run=False,
            attach=True,
            restart="no",
            opts=after,
        )


@pytest.fixture
def api() -> Iterator[APIClient]:
    client = real.engine_with_tiny_image()
    yield client
    client.close()


@pytest.fixture
def host(api: APIClient, tmp_path: Path) -> Iterator[ProviderHost]:
    with ProviderHost(tmp_path / "providers", docker_hosts=real.docker_hosts(tmp_path)) as running:
        yield running


def changed(result: automation.UpResult | automation.RefreshResult) -> dict[str, int]:
    counted = steps(result.summary.resource_changes or {})
    return {kind: count for kind, count in counted.items() if kind != "same"}


def is_settled(stack: automation.Stack) -> bool:
    return set(steps(stack.preview().change_summary)) == {"same"} and changed(stack.refresh()) == {}


def test_a_stack_lives_its_whole_life_on_a_real_docker_engine(
    api: APIClient, host: ProviderHost, tmp_path: Path
) -> None:
    program = Program()
    stack = stack_of(host, tmp_path / "stack", program)
    assert set(steps(stack.preview().change_summary)) == {"create"}
    assert real.containers(api) == []
    stack.up()
    assert real.containers(api) == [DATABASE, JOB, READER]
    assert is_settled(stack)
    kept = (tmp_path / "stack" / ".pulumi" / "stacks" / "rehearsed" / "dev.json").read_text("utf-8")
    assert SECRET not in kept

    # A limit in place, a command by replacement; nothing else is touched.
    program.memory = 96
    assert changed(stack.up()) == {"update": 1}
    assert api.inspect_container(DATABASE)["HostConfig"]["Memory"] == 96 * 2**20
    reader = api.inspect_container(READER)["Id"]
    program.command = f"echo again; {START}"
    assert changed(stack.up()) == {"replace": 1}
    assert is_settled(stack)
    assert api.inspect_container(READER)["Id"] == reader

    # By hand: a container removed, a limit changed, one stopped.
    api.update_container(DATABASE, mem_limit=32 * 2**20, memswap_limit=32 * 2**20)
    api.remove_container(JOB)
    api.stop(READER, timeout=0)
    assert changed(stack.refresh()) == {"delete": 1, "update": 2}
    assert changed(stack.up()) == {"create": 1, "update": 2}
    assert api.inspect_container(READER)["State"]["Running"]
    assert api.inspect_container(READER)["Id"] == reader
    assert is_settled(stack)

    stack.destroy()
    assert real.containers(api) == []
    assert api.networks(names=[f"{real.PREFIX}data"]) == []
    assert (api.volumes(filters={"name": real.PREFIX})["Volumes"] or []) == []
    assert api.images(name=real.TINY)


def test_a_container_that_fails_is_kept_by_the_engine_and_the_next_run_starts_it(
    api: APIClient, host: ProviderHost, tmp_path: Path
) -> None:
    program = Program()
    program.command, program.restart = f"test -e /data/disk || {{ echo no disk; exit 7; }}; {START}", "no"
    stack = stack_of(host, tmp_path / "stack", program)
    command = up_command(tmp_path / "providers", tmp_path / "stack", program.command, program.restart)
    failed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "exited immediately with exit code 7" in failed.stdout + failed.stderr
    assert "no disk" in failed.stdout + failed.stderr
    left = api.inspect_container(DATABASE)["Id"]
    # The cause goes away by itself; the program stays as it is.
    config = api.create_host_config(binds=[f"{real.PREFIX}volume:/data"])
    fixer = api.create_container(real.TINY, ["touch", "/data/disk"], name=f"{real.PREFIX}fixer", host_config=config)
    api.start(fixer["Id"])
    api.wait(fixer["Id"])
    api.remove_container(fixer["Id"])
    assert changed(stack.up()) == {"create": 2, "update": 1}
    assert api.inspect_container(DATABASE)["Id"] == left
    assert is_settled(stack)
    stack.destroy()
    assert real.containers(api) == []


def run_up() -> None:
    """`up` in a process of its own, which may fail or be killed; see `up_command` for the arguments."""
    program = Program()
    program.command, program.restart = sys.argv[3:]
    stack_of(ProviderHost(Path(sys.argv[1])), Path(sys.argv[2]), program).up(on_output=lambda line: None)


def up_command(providers: Path, folder: Path, command: str, restart: str = Program.restart) -> list[str]:
    """How to run `run_up`: the provider's state directory, the stack's folder, and what differs in the program."""
    script = "from tests.rehearsal.providers.docker.test_program_docker import run_up; run_up()"
    return [sys.executable, "-c", script, str(providers), str(folder), command, restart]


def killed_up(providers: Path, folder: Path, command: str, when: Callable[[], bool]) -> None:
    """`up` in a process group of its own that is killed whole, engine and program, as soon as `when` holds."""
    process = subprocess.Popen(up_command(providers, folder, command), cwd=PROJECT, start_new_session=True)
    try:
        while process.poll() is None and not when():
            time.sleep(0.05)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_engine_killed_in_the_middle_of_a_create_leaves_nothing_double(
    api: APIClient, host: ProviderHost, tmp_path: Path
) -> None:
    program = Program()
    stack = stack_of(host, tmp_path / "stack", program)
    killed_up(tmp_path / "providers", tmp_path / "stack", "exec sleep 1000", lambda: real.exists(api, DATABASE))
    left = api.inspect_container(DATABASE)["Id"]
    stack.cancel()
    stack.up()
    assert real.containers(api) == [DATABASE, JOB, READER]
    assert api.inspect_container(DATABASE)["Id"] != left
    assert is_settled(stack)

    # Killed in a replacement: the old one is gone, the new one is in nobody's state.
    before = api.inspect_container(DATABASE)["Id"]
    killed_up(tmp_path / "providers", tmp_path / "stack", "echo new; exec sleep 1000", lambda: is_other(api, before))
    stack.cancel()
    program.command = f"echo new; {START}"
    stack.up()
    assert real.containers(api) == [DATABASE, JOB, READER]
    assert is_settled(stack)

    # Killed, and then everything is taken down: what nobody's state knows goes with its network.
    before = api.inspect_container(DATABASE)["Id"]
    killed_up(tmp_path / "providers", tmp_path / "stack", "echo last; exec sleep 1000", lambda: is_other(api, before))
    stack.cancel()
    stack.destroy()
    assert real.containers(api) == []


def is_other(api: APIClient, container_id: str) -> bool:
    """Whether another database than this one is there."""
    try:
        return bool(api.inspect_container(DATABASE)["Id"] != container_id)
    except NotFound:
        return False
