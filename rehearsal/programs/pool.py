"""The processes that fork for this one's runs of the engine: started when first needed, ended with this process."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rehearsal.programs import choice, wire

ROOT = Path(__file__).parents[2]
SCRIPT = "pulumi-language-python-exec"
ATTACHED = "PULUMI_DEBUG_LANGUAGES"
"""The engine's variable for a language runtime that serves already: sdk/v3 3.259.0, langruntime_plugin.go."""
STARTED = ("-m", __name__.rpartition(".")[0])
TIMES = 3
"""So often a forking process is started anew because a file that it had imported changed meanwhile."""


@contextlib.contextmanager
def attached(
    environment: Mapping[str, str], project_file: Path, bin_dir: Path, modules: Sequence[str], looks_again: bool
) -> Iterator[dict[str, str]]:
    """Give what an engine needs in its environment, beside `environment`, to have its program run by a fork of ours.

    It is nothing where the language host must run it. `bin_dir` holds the engine's script, `modules` are imported
    before. A run that only looks is forked from another process than one that changes something: Python draws the
    order of sets once a process, so a program whose result hangs on it shows that in the second preview.
    """
    script = bin_dir / SCRIPT
    if not script.is_file() or not choice.may_be_forked(environment, project_file):
        yield {}
        return
    asked = {
        "environment": dict(environment),
        "script": str(script),
        "folders": [*choice.folders(project_file), *_entries(environment.get(choice.PYTHON_PATH))],
    }
    with contextlib.ExitStack() as stack:
        port = None
        for _ in range(TIMES):
            forking = _POOL.get(str(project_file.parent.resolve()) if modules else "", tuple(modules), looks_again)
            answer = forking.lease(asked, stack)
            if answer is None or "changed" in answer:
                _POOL.forget(forking)
            else:
                port = answer.get("port")
                break
        yield {} if port is None else {ATTACHED: f"python:{port}"}


def _entries(path: str | None) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry] if path else []


class _Forking:
    """A process that forks; `lease` is called by many threads."""

    def __init__(self, directory: str, modules: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._asks, theirs = socket.socketpair()
        search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get(choice.PYTHON_PATH))))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *STARTED, directory, *modules],
                env=os.environ | {choice.PYTHON_PATH: search},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def lease(self, asked: Mapping[str, object], stack: contextlib.ExitStack) -> dict[str, object] | None:
        """Ask for a server until the stack ends; return its answer, or None when the process is gone."""
        mine, theirs = socket.socketpair()
        stack.callback(mine.close)
        try:
            with theirs, self._lock:
                wire.send(self._asks, {}, [theirs.fileno()])
            wire.send(mine, asked)
        except OSError:
            return None
        answer = wire.receive(mine)
        return answer[0] if answer else None

    def stop(self) -> None:
        """End the process; servers that it forked go on until their runs end."""
        self._asks.close()
        self._process.wait()


class _Pool:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, tuple[str, ...], bool], _Forking] = {}
        self._pid = os.getpid()

    def get(self, directory: str, modules: tuple[str, ...], looks_again: bool) -> _Forking:
        with self._lock:
            if self._pid != os.getpid():  # forked: what the other process started is not ours
                self._known, self._pid = {}, os.getpid()
            key = (directory, modules, looks_again)
            if key not in self._known:
                self._known[key] = _Forking(directory, modules)
            return self._known[key]

    def forget(self, forking: _Forking) -> None:
        with self._lock:
            self._known = {key: known for key, known in self._known.items() if known is not forking}
        forking.stop()

    def stop(self) -> None:
        if self._pid == os.getpid():
            for forking in list(self._known.values()):
                self.forget(forking)


_POOL = _Pool()
atexit.register(_POOL.stop)
