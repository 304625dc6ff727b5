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

Key = tuple[str, tuple[str, ...], bool, str]
"""Folder and modules of the programs, whether the runs only look, and how Python is set."""

ROOT = Path(__file__).parents[2]
SCRIPT = "pulumi-language-python-exec"
ATTACHED = "PULUMI_DEBUG_LANGUAGES"
"""The engine's variable for a language runtime that serves already: sdk/v3 3.259.0, langruntime_plugin.go."""
START = (
    "import sys; base = [entry for entry in sys.path if entry]; sys.path.insert(0, sys.argv[1]); "
    "from rehearsal.programs import forking; forking.main(base, *sys.argv[2:])"
)
"""What is run without PYTHONPATH, so that `base` is what every Python of this environment looks through."""
STOP_SECONDS = 10.0
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
        directory = str(project_file.parent.resolve()) if modules else ""
        settings = str(sorted(choice.python_settings(os.environ).items()))
        port = _port((directory, tuple(modules), looks_again, settings), asked, stack)
        yield {} if port is None else {ATTACHED: f"python:{port}"}


def _port(key: Key, asked: Mapping[str, object], stack: contextlib.ExitStack) -> object:
    """Return where a server serves until the stack ends, or None where nothing may be forked."""
    for _ in range(TIMES):
        forking = _POOL.get(key)
        answer = forking.lease(asked, stack) if forking is not None else {}
        if forking is not None and (answer is None or "changed" in answer):
            _POOL.forget(key, forking, for_good=answer is None)
        else:
            return (answer or {}).get("port")
    return None


def _entries(path: str | None) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry] if path else []


class _Forking:
    """A process that forks; `lease` is called by many threads."""

    def __init__(self, directory: str, modules: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._asks, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(ROOT), directory, *modules],
                env={name: value for name, value in os.environ.items() if name != choice.PYTHON_PATH},
                # Ctrl-C is the engine's: it ends its run, and with that what serves it.
                start_new_session=True,
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
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Pool:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Key, _Forking | None] = {}
        self._pid = os.getpid()

    def get(self, key: Key) -> _Forking | None:
        """Return the process for a folder, modules and kind of run; None where it could not import them."""
        with self._lock:
            if self._pid != os.getpid():  # forked: what the other process started is not ours
                self._known, self._pid = {}, os.getpid()
            if key not in self._known:
                self._known[key] = _Forking(key[0], key[1])
            return self._known[key]

    def forget(self, key: Key, forking: _Forking, *, for_good: bool) -> None:
        """End a process; `for_good` none is started again in its place."""
        with self._lock:
            if self._known.get(key) is not forking:
                return
            if for_good:
                self._known[key] = None
            else:
                del self._known[key]
        forking.stop()

    def stop(self) -> None:
        """End all processes that this one started."""
        if self._pid == os.getpid():
            for key, forking in list(self._known.items()):
                if forking is not None:
                    self.forget(key, forking, for_good=False)


_POOL = _Pool()
atexit.register(_POOL.stop)
