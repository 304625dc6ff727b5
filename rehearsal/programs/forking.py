"""The process that imports what programs import, and then forks a server for each run of the engine.

This process never runs a thread or anything of gRPC, so what it forks begins as if it had just imported all that. It is
asked over its standard input, a socket: each message is one end of another socket, over which it is told of one run.
It ends when who started it is gone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rehearsal.programs import server, wire

ALWAYS = ("pulumi", "pulumi.runtime")
OWN = __name__.partition(".")[0]

Stamp = tuple[int, int]
"""By what it is seen that a file has changed: the time of its last change, in ns, and its size in bytes."""


def main(base: list[str], directory: str, *modules: str) -> None:
    """Import the modules, those of the program's folder `directory` too, and fork until nobody asks any more.

    `base` is where a Python that is told nothing looks for modules.
    """
    # What is imported stays; the collector would look at it again and again, here and in each fork.
    gc.disable()
    sys.path[:] = [*base, directory] if directory else [*base]
    with _opened_files() as opened:
        for name in (*ALWAYS, *modules):
            # The SDKs' packages are lazy ones: they are loaded when an attribute is asked for.
            hasattr(importlib.import_module(name), "__all__")
    if (threads := len(list(Path("/proc/self/task").iterdir()))) > 1:
        raise RuntimeError(f"{threads} threads run after the imports, and none of them would after a fork")
    known = {name: module for name, module in sys.modules.items() if name.partition(".")[0] not in (OWN, "__main__")}
    stamps = {file: stamp_of(file) for file in opened | files_of(known.values())}
    sys.path_importer_cache.clear()
    gc.freeze()
    gc.enable()
    asks = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while (message := wire.receive(asks)) is not None:
        with socket.socket(fileno=message[1][0]) as lease:
            _answer(lease, asks, base, known, stamps)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(
    lease: socket.socket,
    asks: socket.socket,
    base: list[str],
    known: Mapping[str, ModuleType],
    stamps: Mapping[str, Stamp | None],
) -> None:
    asked = wire.receive(lease)
    if asked is None:
        return
    with contextlib.suppress(OSError):
        if changed := [file for file, stamp in stamps.items() if stamp != stamp_of(file)]:
            wire.send(lease, {"changed": changed[0]})
            return
        if hidden := sorted(shadowed(known, map(Path, asked[0]["folders"]))):
            wire.send(lease, {"hidden": hidden[0]})
            return
        if os.fork() == 0:
            asks.close()
            server.serve(lease, asked[0], base)


@contextlib.contextmanager
def _opened_files() -> Iterator[set[str]]:
    """Give the regular files that are opened within the block: a module may hold what was in one."""
    opened: set[str] = set()
    watching = True

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and isinstance(arguments[0], str):
            opened.add(str(Path(arguments[0]).absolute()))

    sys.addaudithook(hear)
    yield opened
    watching = False
    opened -= {file for file in opened if not Path(file).is_file() or file.startswith(("/proc/", "/dev/"))}


def files_of(modules: Iterable[Any]) -> set[str]:
    """Return the files of modules, as far as they have one."""
    return {file for module in modules if (file := getattr(module, "__file__", None)) is not None}


def stamp_of(file: str) -> Stamp | None:
    """Return the stamp of a file, None where there is none."""
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def shadowed(known: Mapping[str, ModuleType], folders: Iterable[Path]) -> set[str]:
    """Return the modules of which one of the folders holds another file than the one that was imported."""
    found = set()
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            name = path.name.partition(".")[0]
            module = path / "__init__.py" if path.is_dir() else path
            if name not in known or module.suffix not in (".py", ".so") or not module.is_file():
                continue
            file = getattr(known[name], "__file__", None)
            if file is None or not module.samefile(file):
                found.add(name)
    return found
