"""One connection between connector and edge: its streams, its pulse, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from localtier.tunnel.protocol import DEAD_AFTER_SECONDS, PING_SECONDS, Frame, Kind, encode, read_frame
from localtier.tunnel.stream import Stream


class LinkLostError(ConnectionError):
    """The connection is gone, or takes no more streams: another one may."""


class TargetRefusedError(ConnectionError):
    """The connector lives, but the service behind it did not take the stream."""


Offered = Callable[["Stream", str], Awaitable[None]]
Told = Callable[[Frame], None]


class Link:
    """A connection that carries streams. `offered` takes the streams that the other side opens; `told` hears
    what concerns the connection (CONFIG, DRAIN). `dead_after_seconds` of silence end it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        offered: Offered | None = None,
        told: Told | None = None,
        dead_after_seconds: float = DEAD_AFTER_SECONDS,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._offered = offered
        self._told = told
        self._dead_after_seconds = dead_after_seconds
        self._streams: dict[int, Stream] = {}
        self._openings: dict[int, asyncio.Future[Kind]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 1
        self._heard = False
        self.lost = False
        self.draining = False

    @property
    def stream_count(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    def send(self, kind: Kind, stream: int = 0, payload: bytes = b"") -> None:
        """Hand a frame to the connection; on a lost one nothing happens."""
        if not self.lost:
            self._writer.write(encode(kind, stream, payload))

    async def flushed(self) -> None:
        """Wait while the connection's buffer is full."""
        await self._writer.drain()

    def forget(self, stream: Stream) -> None:
        """Drop a stream that is over."""
        self._streams.pop(stream.number, None)

    async def open(self, target: str) -> Stream:
        """Return a new stream to `target`. Raises LinkLostError (try another link) or TargetRefusedError."""
        if self.lost or self.draining:
            raise LinkLostError("the connection takes no more streams")
        number, self._next = self._next, self._next + 1
        stream = self._streams[number] = Stream(self, number)
        answer: asyncio.Future[Kind] = asyncio.get_running_loop().create_future()
        self._openings[number] = answer
        self.send(Kind.OPEN, number, target.encode())
        try:
            kind = await answer
        except asyncio.CancelledError:
            await stream.reset()
            raise
        finally:
            self._openings.pop(number, None)
        if kind is Kind.OPENED:
            return stream
        self.forget(stream)
        if kind is Kind.REFUSED:
            raise TargetRefusedError(f"{target} did not take the stream")
        raise LinkLostError("the connection was lost or takes no more streams")

    def accept(self, stream: Stream) -> None:
        """Say that the target took the offered stream."""
        self.send(Kind.OPENED, stream.number)

    def refuse(self, stream: Stream) -> None:
        """Say that the target did not take the offered stream."""
        self.send(Kind.REFUSED, stream.number)
        self.forget(stream)

    def configure(self, services: bytes) -> None:
        """Tell the connector where each name leads now."""
        self.send(Kind.CONFIG, 0, services)

    def drain(self) -> None:
        """Take no more streams, and tell the other side."""
        self.draining = True
        self.send(Kind.DRAIN)

    async def run(self) -> None:
        """Serve the connection until it ends; its streams are cut then."""
        pulse = asyncio.create_task(self._pulse())
        try:
            while True:
                frame = await read_frame(self._reader)
                self._heard = True
                await self._take(frame)
        except (OSError, EOFError):
            pass
        finally:
            pulse.cancel()
            await self.close()

    async def close(self) -> None:
        """End the connection and cut its streams."""
        self.lost = True
        self._writer.transport.abort()
        for answer in self._openings.values():
            if not answer.done():
                answer.set_result(Kind.BUSY)
        for stream in list(self._streams.values()):
            await stream.was_cut()
        for task in self._tasks:
            task.cancel()

    async def _pulse(self) -> None:
        # Silent intervals are counted, not the time: a process that was not run for seconds has not listened either.
        silent = 0
        interval_seconds = min(PING_SECONDS, self._dead_after_seconds / 3)
        while silent * interval_seconds < self._dead_after_seconds:
            self.send(Kind.PING)
            self._heard = False
            await asyncio.sleep(interval_seconds)
            silent = 0 if self._heard else silent + 1
        self._writer.transport.abort()

    async def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.OPEN:
            task = asyncio.create_task(self._offer(frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif frame.kind in (Kind.OPENED, Kind.REFUSED, Kind.BUSY):
            answer = self._openings.get(frame.stream)
            if answer is not None and not answer.done():
                answer.set_result(frame.kind)
        elif frame.stream:
            stream = self._streams.get(frame.stream)
            if stream is not None:
                await stream.receive(frame.kind, frame.payload)
        elif frame.kind is not Kind.PING and self._told is not None:
            self._told(frame)

    async def _offer(self, frame: Frame) -> None:
        if self._offered is None or self.draining:
            self.send(Kind.BUSY, frame.stream)
            return
        stream = self._streams[frame.stream] = Stream(self, frame.stream)
        await self._offered(stream, frame.payload.decode())
