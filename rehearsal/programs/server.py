"""In a forked process: the language runtime that one run of the engine is attached to.

It answers as Pulumi's own Python language host does (its sources: sdk/v3 3.78.0, python/cmd/pulumi-language-python,
read 2026-11-27), but hands the program to a process that has been forked, and names no packages: these are only read to
install plugins. What a program prints is told to the engine, line by line; the engine takes from an attached
runtime no lines of standard error as such, so both are told as information.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import IO, Any, NoReturn

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2

from rehearsal.programs import running, wire

LOOPBACK = "127.0.0.1"
THREADS = 4
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
SHOWED_ITS_ERROR = 32
"""The exit status of a program whose error the engine was told already."""
OUTPUT_SECONDS = 2.0
"""So long, at most, is waited for the rest of the output: what a program left running may hold it open."""
CONFIG, SECRET_KEYS = "PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"


def serve(lease: socket.socket, asked: Mapping[str, Any], base_path: Sequence[str]) -> NoReturn:
    """Serve until the other end of `lease` is closed; then end this process, and the program if it still runs."""
    here, there = socket.socketpair()
    # Forked before anything of gRPC runs: neither its threads nor its channels survive a fork.
    runner = os.fork()
    if runner == 0:
        os.setsid()  # a group of its own with the program, so that both can be ended at once
        lease.close()
        here.close()
        running.serve(there, base_path)
        os._exit(0)
    there.close()
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = LOOPBACK
    limits = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=limits)
    runtime = Runtime(asked, here)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(runtime, server)
    port = int(server.add_insecure_port(f"{LOOPBACK}:0"))
    server.start()
    with contextlib.suppress(OSError):
        wire.send(lease, {"port": port})
        while lease.recv(1):
            pass
    here.shutdown(socket.SHUT_RDWR)
    if runtime.is_running:
        os.killpg(runner, signal.SIGKILL)
    os.waitpid(runner, 0)
    os._exit(0)


class Runtime(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime of one run of the engine; `asked` is its environment, and the script that runs programs."""

    def __init__(self, asked: Mapping[str, Any], runner: socket.socket) -> None:
        self._asked = asked
        self._runner = runner
        self._engine = ""
        self._running = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._running.locked()

    def handshake(self, request: Any, _context: Any) -> Any:
        """Take the address of the engine, which programs are told."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def get_plugin_info(self, _request: Any, _context: Any) -> Any:
        """Name no version: it is the engine's own."""
        return plugin_pb2.PluginInfo()

    def get_required_packages(self, _request: Any, _context: Any) -> Any:
        """Name none: rehearsals install no plugins."""
        return language_pb2.GetRequiredPackagesResponse()

    def run(self, request: Any, _context: Any) -> Any:
        """Have the program run; return how it ended."""
        with self._running:
            status = self._run(request)
        if status == SHOWED_ITS_ERROR:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {status}" if status else "")

    # The protocol's names for the methods above.
    Handshake: Any = handshake
    GetPluginInfo: Any = get_plugin_info
    GetRequiredPackages: Any = get_required_packages
    Run: Any = run

    def _run(self, request: Any) -> int:
        message = {
            "script": self._asked["script"],
            "arguments": arguments(request, self._engine),
            "environment": {**self._asked["environment"], **configuration(request)},
            "directory": request.pwd,
        }
        with grpc.insecure_channel(self._engine) as channel:
            engine = engine_pb2_grpc.EngineStub(channel)
            readers, writers = zip(*(os.pipe() for _ in range(2)), strict=True)
            tellers = [
                threading.Thread(target=_tell, args=(os.fdopen(reader, "rb"), engine, number), daemon=True)
                for number, reader in zip(count(1), readers, strict=False)
            ]
            for teller in tellers:
                teller.start()
            try:
                wire.send(self._runner, message, writers)
            finally:
                for writer in writers:
                    os.close(writer)
            answer = wire.receive(self._runner)
            for teller in tellers:
                teller.join(OUTPUT_SECONDS)
        return int(answer[0]["status"]) if answer else running.LOST


def _tell(lines: IO[bytes], engine: Any, stream: int) -> None:
    """Tell the engine every line that is not empty, as it does itself with the output of its plugins."""
    with contextlib.suppress(grpc.RpcError, ValueError), lines:
        for line in lines:
            text = line.decode("utf-8", "replace")
            if text.strip():
                engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, streamId=stream))


def arguments(request: Any, engine: str) -> list[str]:
    """Return the arguments of the script: options that have a value, the program, the program's own arguments."""
    options = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    given = [word for name, value in options.items() if value for word in (f"--{name}", value)]
    return [*given, request.program or ".", *request.args]


def configuration(request: Any) -> dict[str, str]:
    """Return the variables that hold a program's configuration, and which keys of it are secret."""
    return {
        CONFIG: json.dumps(dict(request.config), separators=(",", ":"), sort_keys=True, ensure_ascii=False),
        SECRET_KEYS: json.dumps(list(request.configSecretKeys), separators=(",", ":")),
    }
