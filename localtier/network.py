"""Asking what listens in a tier's own network from this process: a thread of its own enters the network."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from rehearsal.hosts import World
from rehearsal.hosts.network import OUTSIDE

CLONE_NEWNET = 0x40000000
"""Source: setns(2), linux/sched.h."""
Answer = TypeVar("Answer")


def ask_outside(world: World, ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` returns where everything outside of the hosts is; it must open its connections itself.

    Raises what `ask` raises, and `OSError` when the world does not run.
    """
    return ask_in(world.network.path(OUTSIDE), ask)


def ask_in(network: Path, ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` returns in the network namespace that the file `network` stands for.

    Raises what `ask` raises, and `OSError` when there is no such namespace.
    """

    def entered() -> Answer:
        with network.open("rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                error = ctypes.get_errno()
                raise OSError(error, os.strerror(error), str(network))
        return ask()

    # A network namespace is a thread's: the thread ends with the question, and no other one has moved.
    with ThreadPoolExecutor(max_workers=1) as one:
        return one.submit(entered).result()
