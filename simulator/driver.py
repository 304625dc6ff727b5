"""The engine in real time: it steps while there is work, and tells each request how far its answer is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from simulator.answer import Answer
from simulator.engine import Engine, Rejection, Step
from simulator.metrics import EngineMetrics
from simulator.sequence import FinishReason, Sequence

LATE_SECONDS = 1.0
"""A machine that fell behind by less catches up; by more, and the engine's time is lost, as if the card had stood."""


class RejectedError(Exception):
    """A queue limit refused the request."""

    def __init__(self, reason: Rejection) -> None:
        self.reason = reason
        super().__init__(reason.value)


@dataclass(kw_only=True, eq=False)
class Generation:
    """A request under way: `written_tokens` grows, `finished` is set last; `changed` says that either did."""

    sequence: Sequence
    answer: Answer
    max_tokens: int | None
    streamed: bool
    written_tokens: int = 0
    finished: FinishReason | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stop_reason(self) -> str | None:
        """Return the text that ended the answer, if one of the client's did."""
        return self.answer.stop_reason if self.finished is FinishReason.STOP else None

    async def news(self) -> None:
        """Wait until more is written or the end is reached."""
        await self.changed.wait()
        self.changed.clear()


class Driver:
    """Runs one engine on the clock of the event loop, `speed` times as fast."""

    def __init__(self, engine: Engine, metrics: EngineMetrics, *, speed: float = 1.0) -> None:
        self._engine = engine
        self._metrics = metrics
        self._speed = speed
        self._generations: dict[str, Generation] = {}
        self._streams: dict[str, Generation] = {}
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._latest_arrival = 0.0
        self._failed = False

    @property
    def healthy(self) -> bool:
        """Return whether the engine runs; it does not after a fault of its own."""
        return not self._failed

    @property
    def under_way(self) -> int:
        """Return how many requests are running or waiting."""
        return len(self._generations)

    def admit(self) -> None:
        """Raise RejectedError when a queue limit would refuse one more request."""
        reason = self._engine.rejection()
        if reason is not None:
            self._metrics.record_rejection(reason)
            raise RejectedError(reason)

    def start(self, generation: Generation) -> None:
        """Queue a request that was admitted."""
        self._latest_arrival = self._now()
        self._engine.submit(generation.sequence, self._latest_arrival)
        self._generations[generation.sequence.name] = generation
        if generation.streamed:
            self._streams[generation.sequence.name] = generation
        self._metrics.record_state(self._engine)
        self._idle.clear()
        self._work.set()

    def abort(self, generation: Generation) -> None:
        """Take a request out whose client has left; nothing happens when it has ended."""
        name = generation.sequence.name
        if self._generations.pop(name, None) is None:
            return
        self._streams.pop(name, None)
        self._engine.abort(generation.sequence)
        self._end(generation, self._now())

    async def run(self) -> None:
        """Step until cancelled."""
        try:
            ended_at = self._now()
            while True:
                if not self._engine.has_work:
                    self._work.clear()
                    await self._work.wait()
                    ended_at = self._now()
                now = self._now()
                starts_at = ended_at if now - ended_at < LATE_SECONDS * self._speed else now
                step = self._engine.step(max(starts_at, self._latest_arrival))
                ended_at = step.ended_at
                await asyncio.sleep(max(0.0, (ended_at - self._now()) / self._speed))
                self._deliver(step)
        except Exception:
            self._failed = True
            raise

    async def close(self, timeout_seconds: float) -> None:
        """Let the requests under way end for at most `timeout_seconds`, and abort the rest; admit none meanwhile."""
        if timeout_seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout_seconds)
        for generation in list(self._generations.values()):
            self.abort(generation)

    def _deliver(self, step: Step) -> None:
        self._metrics.record_step(step)
        for sequence in step.finished:
            generation = self._generations.pop(sequence.name, None)
            if generation is not None:
                self._streams.pop(sequence.name, None)
                self._end(generation, step.ended_at)
        for generation in self._streams.values():
            written_tokens = self._engine.written_tokens(generation.sequence)
            if written_tokens > generation.written_tokens:
                generation.written_tokens = written_tokens
                generation.changed.set()
        self._metrics.record_state(self._engine)

    def _end(self, generation: Generation, ended_at: float) -> None:
        self._metrics.record_end(generation.sequence, ended_at=ended_at, max_tokens=generation.max_tokens)
        self._metrics.record_state(self._engine)
        generation.written_tokens = self._engine.written_tokens(generation.sequence)
        generation.finished = generation.sequence.finished
        generation.changed.set()
        if not self._generations:
            self._idle.set()

    def _now(self) -> float:
        return time.monotonic() * self._speed
