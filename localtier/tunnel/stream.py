"""One stream of a link: bytes both ways, with half-close and back-pressure, and its splice onto a socket."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localtier.tunnel.protocol import CHUNK_BYTES, WINDOW_BYTES, Kind

if TYPE_CHECKING:
    from localtier.tunnel.link import Link

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset, so that nobody takes a cut stream for a finished one."""


class StreamCutError(ConnectionError):
    """The stream ended before its time: the other end reset it or its link is lost."""


class Stream:
    """Bytes both ways over a link. Writers wait while the other end has not taken what was sent."""

    def __init__(self, link: Link, number: int) -> None:
        self._link = link
        self.number = number
        self._received: deque[bytes] = deque()
        self._credit = WINDOW_BYTES
        self._changed = asyncio.Condition()
        self._ended = False
        self._finished = False
        self.cut = False

    async def read(self) -> bytes:
        """Return the next bytes, or none at the end. Raises StreamCutError."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._received or self._ended or self.cut)
            if self.cut:
                raise StreamCutError("the stream was cut")
            return self._received.popleft() if self._received else b""

    def taken(self, size: int) -> None:
        """Tell the other end that `size` bytes reached their reader, so that it may send as many more."""
        self._link.send(Kind.CREDIT, self.number, size.to_bytes(4, "big"))

    async def write(self, data: bytes) -> None:
        """Send `data` as far as the window allows, and wait for the rest of it. Raises StreamCutError."""
        rest = memoryview(data)
        while rest:
            async with self._changed:
                await self._changed.wait_for(lambda: self._credit or self.cut)
                if self.cut:
                    raise StreamCutError("the stream was cut")
                size = min(len(rest), self._credit, CHUNK_BYTES)
                self._credit -= size
            self._link.send(Kind.DATA, self.number, bytes(rest[:size]))
            await self._link.flushed()
            rest = rest[size:]

    def finish(self) -> None:
        """Say that no more will be written."""
        self._finished = True
        self._link.send(Kind.FINISH, self.number)
        self._forget_if_over()

    async def reset(self) -> None:
        """Cut the stream at both ends."""
        if not self.cut and not (self._ended and self._finished):
            self._link.send(Kind.RESET, self.number)
        await self.was_cut()

    async def was_cut(self) -> None:
        """Wake whoever reads or writes: the stream is no more."""
        async with self._changed:
            self.cut = True
            self._changed.notify_all()
        self._link.forget(self)

    async def receive(self, kind: Kind, payload: bytes) -> None:
        """Take in a frame of this stream."""
        if kind is Kind.RESET:
            await self.was_cut()
            return
        async with self._changed:
            if kind is Kind.DATA:
                self._received.append(payload)
            elif kind is Kind.CREDIT:
                self._credit += int.from_bytes(payload, "big")
            elif kind is Kind.FINISH:
                self._ended = True
            self._changed.notify_all()
        self._forget_if_over()

    def _forget_if_over(self) -> None:
        if self._ended and self._finished:
            self._link.forget(self)


@dataclass
class Spliced:
    """How a splice went: whether it was cut, and how many bytes went from the stream to the socket."""

    cut: bool = False
    delivered_bytes: int = 0


async def splice(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Spliced:
    """Copy both ways until both ends finished or one was cut; the stream is over afterwards, the socket still open."""
    spliced = Spliced()

    async def outward() -> None:
        while data := await reader.read(CHUNK_BYTES):
            await stream.write(data)
        stream.finish()

    async def inward() -> None:
        while data := await stream.read():
            writer.write(data)
            await writer.drain()
            spliced.delivered_bytes += len(data)
            stream.taken(len(data))
        if writer.can_write_eof():
            writer.write_eof()
        else:
            # TLS has no half-close: whoever reads to the end waits for the close, and has nothing more to say.
            asking.cancel()

    try:
        async with asyncio.TaskGroup() as directions:
            asking = directions.create_task(outward())
            directions.create_task(inward())
    except* OSError:
        spliced.cut = True
    finally:
        await stream.reset()
    return spliced


def reset_socket(writer: asyncio.StreamWriter) -> None:
    """Close a socket so that its other end sees a broken connection, not an end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # the other end was quicker: the socket is closed
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
