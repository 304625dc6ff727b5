"""In a forked process: run a program as a newly started Python would, by the engine's own script.

The script is `pulumi-language-python-exec` of the engine that is used, so what it does is not written here again:
configuration, settings of the run, the program itself, the words of its errors, its exit status.
"""

from __future__ import annotations

import atexit
import os
import runpy
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from rehearsal.programs import wire

OWN = __name__.partition(".")[0]
FAILED = 1
LOST = -1
"""The status of who was killed, as Go tells it."""


def serve(requests: socket.socket, base_path: Sequence[str]) -> None:
    """Run what is asked for, one after the other, each in a process of its own, until the other side is gone.

    A request holds the script, its arguments, the environment and the folder that a started Python would have; with it
    come the files for the standard output and error. The answer is the exit status.
    """
    while (request := wire.receive(requests)) is not None:
        message, files = request
        child = os.fork()
        if child == 0:
            requests.close()
            _run(message, files, base_path)
        for file in files:
            os.close(file)
        try:
            wire.send(requests, {"status": _status(os.waitpid(child, 0)[1])})
        except OSError:
            return


def _status(ended: int) -> int:
    code = os.waitstatus_to_exitcode(ended)
    return code if code >= 0 else LOST


def _run(message: Mapping[str, Any], files: Sequence[int], base_path: Sequence[str]) -> NoReturn:
    code: int | None = FAILED
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, *files)):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(message["environment"])
        os.chdir(message["directory"])
        script = message["script"]
        sys.argv = [script, *message["arguments"]]
        sys.path[:] = search_path(script, os.environ.get("PYTHONPATH"), base_path)
        for name in [name for name in sys.modules if name.partition(".")[0] == OWN]:
            del sys.modules[name]
        _register_in_silence()
        code = _status_of(script)
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as the one it was forked from
        traceback.print_exc()
    _end(code or 0)


def _register_in_silence() -> None:
    """Take from the SDK's module for resources what it says for debugging, of what it registers and reads.

    Those are three calls of the engine a resource, each waited for: a fifth of the time of a preview of 385 resources,
    an eighth of its processor time. Other messages for debugging, the program's own among them, are said.
    """
    # Imported before the fork, and not by who forks: it does not know yet where the program's Python looks for modules.
    from pulumi import log
    from pulumi.runtime import resource

    vars(resource)["log"] = SimpleNamespace(**{**vars(log), "debug": lambda *_, **__: None})


def _status_of(script: str) -> int:
    """Run the script as the main module; return the exit status that Python would end with."""
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return FAILED
    return 0


def _end(code: int) -> NoReturn:
    """End as Python ends, but without taking apart what was there before the fork."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads that are no daemons
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)


def search_path(script: str, python_path: str | None, base_path: Sequence[str]) -> list[str]:
    """Return where a Python looks for modules that is started with `script` in the working directory."""
    told = [str(Path(entry).absolute()) for entry in python_path.split(os.pathsep)] if python_path else []
    return list(dict.fromkeys([str(Path(script).parent), *told, *base_path]))
