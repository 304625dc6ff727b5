"""A scanner of TCP ports: which of many doors take a connection, tried from where the caller stands."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Sequence

AT_ONCE = 4_000
"""Connections that are tried together, where the process may have so many files open."""
FILES_OF_OTHERS = 200
"""So many files are left for what else the process does."""
PATIENCE_SECONDS = 2.0
"""How long a door may take to answer. What a packet filter drops never does."""
MILLISECONDS = 1_000


def open_doors(
    doors: Sequence[tuple[str, int]], patience_seconds: float = PATIENCE_SECONDS
) -> frozenset[tuple[str, int]]:
    """Return which of `doors`, IPv4 addresses with TCP ports, take a connection from here; each is closed at once."""
    found: set[tuple[str, int]] = set()
    at_once = _many()
    for begin in range(0, len(doors), at_once):
        found |= _open_among(doors[begin : begin + at_once], patience_seconds)
    return frozenset(found)


def _many() -> int:
    """Return how many connections may be tried together; the limit of open files is raised for them where it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(hard, AT_ONCE + FILES_OF_OTHERS))
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(AT_ONCE, wanted - FILES_OF_OTHERS)


def _open_among(doors: Sequence[tuple[str, int]], patience_seconds: float) -> set[tuple[str, int]]:
    asked: dict[int, tuple[socket.socket, tuple[str, int]]] = {}
    waiting = select.poll()
    found: set[tuple[str, int]] = set()
    try:
        for door in doors:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            asked[one.fileno()] = one, door
            # In progress, or refused at once: the error is read below in either case.
            one.connect_ex(door)
            waiting.register(one, select.POLLOUT)
        left, until = set(asked), time.monotonic() + patience_seconds
        while left and (rest := until - time.monotonic()) > 0:
            for number, _ in waiting.poll(rest * MILLISECONDS):
                waiting.unregister(number)
                left.discard(number)
                one, door = asked[number]
                if _is_connected(one):
                    found.add(door)
    finally:
        for one, _ in asked.values():
            one.close()
    return found


def _is_connected(one: socket.socket) -> bool:
    try:
        one.getpeername()
    except OSError:
        return False
    return True
