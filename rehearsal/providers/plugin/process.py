"""The process of a plugin: started as the engine starts one, without credentials or a network, ended with this one.

A plugin is given the engine's address as its argument, and prints its port first. Source: pulumi 3.259.0,
sdk/go/common/resource/plugin/plugin.go, read 2026-11-27.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from rehearsal.providers.plugin.finding import Plugin

LOOPBACK = "127.0.0.1"
TAIL_LINES = 12
LAST_PORT = 65535
# How long to wait for the end of a plugin that does not answer, and for its last words.
LAST_WORDS_SECONDS = 1.0
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
# Nothing listens there: who tries to reach a network fails at once.
CLOSED_PROXY = "http://127.0.0.1:9"
NOWHERE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), CLOSED_PROXY),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{LOOPBACK},localhost"),
    # What Google's plugin needs to plan without an account (official plugin 9.35, tried 2026-11-23).
    "GOOGLE_OAUTH_ACCESS_TOKEN": "x",
    "PULUMI_GCP_SKIP_REGION_VALIDATION": "true",
}
# The plugin ends with the pipe that this process holds, so it does when this process is killed, too.
WATCHED = """
{ "$@" </dev/null; echo "ended with status $?" >&2; } &
exec >/dev/null
cat
kill -KILL 0
"""


class _Engine(engine_pb2_grpc.EngineServicer):
    """What a plugin calls its engine for: to say something."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def log(self, request: engine_pb2.LogRequest, _context: Any) -> empty_pb2.Empty:
        """Keep warnings and errors."""
        if request.severity >= engine_pb2.WARNING:
            self._say(request.message.strip())
        return empty_pb2.Empty()

    # The plugin's name for the method above.
    Log: Any = log


class PluginProcess:
    """A plugin that runs; `address` is where it serves, `engine_address` where it may talk to its engine."""

    def __init__(self, plugin: Plugin, home: Path, directory: Path | None = None) -> None:
        """`home` is an empty folder that the plugin gets as its HOME, so that it finds nobody's credentials.

        It runs in `directory`, the program's, so that it finds files which inputs name; without one in `home`.
        """
        self.plugin = plugin
        self.address = ""
        self.engine_address = ""
        self._home = home
        self._directory = directory or home
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._engine = grpc.server(ThreadPoolExecutor(2))

    def start(self, seconds: float) -> str | None:
        """Start and wait for the port; the return says why that failed, or is None."""
        engine_pb2_grpc.add_EngineServicer_to_server(_Engine(self._tail.append), self._engine)
        self.engine_address = f"{LOOPBACK}:{self._engine.add_insecure_port(f'{LOOPBACK}:0')}"
        self._engine.start()
        self._home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self._process = process = subprocess.Popen(
            ["/bin/sh", "-c", WATCHED, "sh", str(self.plugin.binary), self.engine_address],
            cwd=self._directory,
            env=kept | NOWHERE | {"HOME": str(self._home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for stream, line, end in (
            (process.stdout, self._lines.put, self._finished),
            (process.stderr, self._tail.append, None),
        ):
            if stream is not None:
                threading.Thread(target=_drain, args=(stream, line, end), daemon=True).start()
        return self._port(seconds)

    def _finished(self) -> None:
        self._lines.put(None)
        self._ended.set()

    def _port(self, seconds: float) -> str | None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return f"printed no port within {seconds:g} s"
            if line is None:
                return "ended before it printed a port"
            if line.strip().isdecimal() and 0 < int(line) <= LAST_PORT:
                self.address = f"{LOOPBACK}:{int(line)}"
                threading.Thread(target=self._follow, daemon=True).start()
                return None
            self._tail.append(line)

    def _follow(self) -> None:
        """Keep what it prints after its port: a full pipe would make it wait."""
        while (line := self._lines.get()) is not None:
            self._tail.append(line)

    @property
    def ended(self) -> bool:
        """Whether the plugin has ended by itself."""
        return self._ended.is_set()

    def last_words(self) -> str:
        """The last lines that the plugin printed or told its engine."""
        if self._ended.wait(LAST_WORDS_SECONDS):
            deadline = time.monotonic() + LAST_WORDS_SECONDS
            while not any(line.startswith("ended with status") for line in self._tail) and time.monotonic() < deadline:
                time.sleep(0.01)
        return "\n".join(list(self._tail)) or "(it said nothing)"

    def stop(self) -> None:
        """End the plugin and everything that it started."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._engine.stop(None)


def _drain(stream: IO[bytes], line: Callable[[str], None], end: Callable[[], None] | None) -> None:
    with stream:
        for raw in stream:
            line(raw.decode("utf-8", "replace").rstrip())
    if end is not None:
        end()
