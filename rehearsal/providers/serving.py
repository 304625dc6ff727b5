"""The provider process: every package on a loopback port of its own, over one fake cloud.

With `docker_hosts` the docker package acts on real Docker Engines instead. A plan of faults in the state directory
(`faults.py`) is carried out.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from rehearsal.providers.b2.server import serve_b2
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.dynamic import DynamicProviders
from rehearsal.providers.faults import PLAN, Faults, FaultyCloud
from rehearsal.providers.judge.choice import Judging, judges_of
from rehearsal.providers.plugin.finding import JudgeMode
from rehearsal.providers.seams import Cloud
from rehearsal.providers.servicer import AttachedProvider
from rehearsal.tables.facts import packages

LOOPBACK = "127.0.0.1"
LOCK = "providers.lock"
PLUGINS = "plugins"
# Five engines at once, each with as many calls in flight as it has cores.
THREADS = 32
# A component's inputs with embedded files, and state of a whole host, stay far below this.
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
PARENT_CHECK_SECONDS = 1.0
GRACE_SECONDS = 1.0


@dataclass(frozen=True)
class Announcement:
    """Where the process serves: a port for each package, and the address of the fake Backblaze B2.

    `judges` says by whom each package is judged, `judge` which mode was asked for.
    """

    pid: int
    providers: dict[str, int]
    b2: str
    judges: dict[str, str] = field(default_factory=dict)
    judge: str = JudgeMode.TABLES


def _serve(stack: ExitStack, pool: ThreadPoolExecutor, servicer: provider_pb2_grpc.ResourceProviderServicer) -> int:
    limits = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
    ]
    server = grpc.server(pool, options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = int(server.add_insecure_port(f"{LOOPBACK}:0"))
    server.start()
    stack.callback(lambda: server.stop(GRACE_SECONDS).wait())
    return port


def _write_atomically(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


@contextmanager
def owning(state: Path) -> Iterator[None]:
    """Hold the state directory's lock; raises `BlockingIOError` when another process serves it.

    The lock goes with the process, so it tells better than a process id whether one is running.
    """
    with (state / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_served(state: Path) -> bool:
    """Whether a provider process serves the directory."""
    if not (state / LOCK).exists():
        return False
    try:
        with owning(state):
            return False
    except BlockingIOError:
        return True


def _skip_proxies() -> None:
    """Loopback is never behind a proxy, whatever the environment says of proxies."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serve(
    state: Path,
    announce: Path,
    parent: int | None,
    docker_hosts: Path | None = None,
    judging: Judging | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process is gone; tables judge unless `judging` says more."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        stack.enter_context(owning(state))
        _skip_proxies()
        cloud = FakeCloud(state)
        stack.callback(cloud.close)
        faults = Faults(state) if (state / PLAN).exists() else None
        if faults is not None:
            stack.callback(faults.close)
        pool = stack.enter_context(ThreadPoolExecutor(THREADS))
        clouds: dict[str, Cloud] = dict.fromkeys(packages(), FaultyCloud(cloud, faults) if faults else cloud)
        pools = dict.fromkeys(packages(), pool)
        if docker_hosts is not None:
            # Only here: who rehearses against the fake cloud alone need not have a client of Docker.
            from rehearsal.providers.docker.cloud import DockerCloud
            from rehearsal.providers.docker.engines import Engines

            # Calls that wait for a container's health must not keep the other packages waiting.
            pools["docker"] = stack.enter_context(ThreadPoolExecutor(THREADS))
            clouds["docker"] = docker = DockerCloud(Engines(docker_hosts))
            stack.callback(docker.close)
        judging = judging or Judging()
        judges = judges_of(packages(), judging, state / PLUGINS, stack)
        ports = {
            name: _serve(stack, pools[name], AttachedProvider(name, judge.judge, judge.before(clouds[name])))
            for name, judge in judges.items()
        }
        ports["pulumi-python"] = _serve(stack, pool, DynamicProviders(faults))
        b2 = stack.enter_context(serve_b2(state))
        # The dynamic providers' own code runs in this process and reads where B2 is from its environment.
        os.environ.update(b2.environment())
        names = {name: judge.name for name, judge in judges.items()}
        announced = Announcement(os.getpid(), ports, b2.url, names, judging.mode)
        _write_atomically(announce, json.dumps(asdict(announced)))
        stack.callback(announce.unlink, missing_ok=True)
        while not stopping.wait(PARENT_CHECK_SECONDS):
            if parent is not None and not _is_alive(parent):
                break
