"""Messages between the processes that run a program: JSON behind its length, and open files beside it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
FILES_AT_MOST = 4


def send(to: socket.socket, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
    """Send a message, and the open files with it; raises OSError when the other side is gone."""
    text = json.dumps(message).encode()
    head = _LENGTH.pack(len(text))
    if files:
        socket.send_fds(to, [head], files)
    else:
        to.sendall(head)
    to.sendall(text)


def receive(source: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and the files that came with it, or None when the other side is gone."""
    try:
        head, files, _, _ = socket.recv_fds(source, _LENGTH.size, FILES_AT_MOST)
        head += _exactly(source, _LENGTH.size - len(head)) if head else b""
        text = _exactly(source, _LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    except ConnectionError:
        return None
    return (json.loads(text), files) if text else None


def _exactly(source: socket.socket, count: int) -> bytes:
    """Return so many bytes, or nothing when the other side goes before."""
    text = bytearray()
    while len(text) < count:
        part = source.recv(count - len(text))
        if not part:
            return b""
        text += part
    return bytes(text)
