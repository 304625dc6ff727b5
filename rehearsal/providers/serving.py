"""The provider process: every package on a loopback port of its own, over one fake cloud."""

from __future__ import annotations

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from rehearsal.providers.b2.server import serve_b2
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.dynamic import DynamicProviders
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.servicer import AttachedProvider
from rehearsal.tables.facts import PACKAGES

LOOPBACK = "127.0.0.1"
# Five engines at once, each with as many calls in flight as it has cores.
THREADS = 32
# A component's inputs with embedded files, and state of a whole host, stay far below this.
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
PARENT_CHECK_SECONDS = 1.0
GRACE_SECONDS = 1.0


@dataclass(frozen=True)
class Announcement:
    """Where the process serves: a port for each package, and the address of the fake Backblaze B2."""

    pid: int
    providers: dict[str, int]
    b2: str


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


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serve(state: Path, announce: Path, parent: int | None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process is gone."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ExitStack() as stack:
        judge, cloud = TableJudge(), FakeCloud(state)
        stack.callback(cloud.close)
        pool = stack.enter_context(ThreadPoolExecutor(THREADS))
        ports = {name: _serve(stack, pool, AttachedProvider(name, judge, cloud)) for name in PACKAGES}
        ports["pulumi-python"] = _serve(stack, pool, DynamicProviders())
        b2 = stack.enter_context(serve_b2(state))
        # The dynamic providers' own code runs in this process and reads where B2 is from its environment.
        os.environ.update(b2.environment())
        _write_atomically(announce, json.dumps(asdict(Announcement(os.getpid(), ports, b2.url))))
        stack.callback(announce.unlink, missing_ok=True)
        while not stopping.wait(PARENT_CHECK_SECONDS):
            if parent is not None and not _is_alive(parent):
                break
