"""One engine between events: it reads one prompt after the other while all admitted requests write a token a step.

As in `simulator.engine`: a request is admitted when the cache has room for its prompt; when the cache runs full the
youngest is thrown out, waits in front and reads its prompt and answer again. A step takes what the roofline says
(`dreamseed.planning.gpu.roofline.step_seconds`, the same terms, taken apart once).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from dreamseed.catalog.vllm_flags import DEFAULT_MAX_NUM_SEQS
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.layout import Replica
from dreamseed.planning.gpu.roofline import step_seconds

BATCH_TOKENS = 2_048
BLOCK, HALF_BLOCK = 16, 8
"""Tokens of a block of the cache, and what a request leaves of its last one on average."""
LEAST_SECONDS = 1e-6
"""Between two events of an engine: less could be lost beside the time of day."""
SETTLED = 1e-6
"""Tokens that rounding may leave of a prompt or an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A replica's roofline, taken apart: a step takes max(read, compute) + reduce."""

    kv_tokens: int
    read_seconds: float
    read_token_seconds: float
    compute_token_seconds: float
    reduce_seconds: float
    reduce_token_seconds: float

    def step(self, new_tokens: float, context_tokens: float) -> float:
        """Return the seconds of a step that computes `new_tokens` beside a cache of `context_tokens`."""
        read = self.read_seconds + context_tokens * self.read_token_seconds
        compute = new_tokens * self.compute_token_seconds
        return max(read, compute) + self.reduce_seconds + new_tokens * self.reduce_token_seconds


def speed_of(intent: EngineIntent, replica: Replica) -> Speed:
    """Return a replica's terms, found from the roofline itself at a few points: each is linear where it rules."""

    def seconds(new: int, context: int) -> float:
        return step_seconds(
            intent, replica.gpu, replica.memory, replica.tensor_parallel, new_tokens=new, context_tokens=context
        )

    many, far = 1_000_000, 10_000_000
    read_token = (seconds(0, far) - seconds(0, 0)) / far
    computing = (seconds(2 * many, 0) - seconds(many, 0)) / many
    reduce_token = (seconds(many, 10**12) - seconds(0, 10**12)) / many
    reduce = 0.0
    if replica.tensor_parallel > 1:
        reduce = seconds(many, 0) - many * computing
    return Speed(
        # vLLM keeps one block back.
        kv_tokens=(replica.memory.blocks - 1) * BLOCK,
        read_seconds=seconds(0, 0) - reduce,
        read_token_seconds=read_token,
        compute_token_seconds=computing - reduce_token,
        reduce_seconds=reduce,
        reduce_token_seconds=reduce_token,
    )


class Request:
    """One request: when it came, what it reads and writes, and when its first and last token came (`inf`: never)."""

    __slots__ = ("answer", "arrived_at", "ended_at", "first_at", "prompt", "since", "until", "written")

    def __init__(self, arrived_at: float, prompt: float, answer: float) -> None:
        self.arrived_at, self.prompt, self.answer = arrived_at, prompt, answer
        self.first_at = self.ended_at = inf
        self.written = 0.0
        self.since = self.until = 0.0


class FleetEngine:
    """An engine; the caller asks for `next_at` and advances it there. `finished` collects requests that ended."""

    __slots__ = (
        "_base",
        "_ends",
        "_left",
        "_number",
        "_pace",
        "_read_rate",
        "_running",
        "_since_sum",
        "_steps",
        "_waiting",
        "at",
        "first_tokens",
        "first_wait_seconds",
        "next_at",
        "reading",
        "speed",
        "weight",
    )

    def __init__(self, speed: Speed, at: float) -> None:
        self.speed, self.at, self.weight = speed, at, speed.kv_tokens
        self._waiting: deque[Request] = deque()
        self.reading: deque[Request] = deque()
        self._running: dict[int, Request] = {}
        self._ends: list[tuple[float, int]] = []
        self._number = 0
        self._steps = 0.0
        """Steps since the beginning, not whole: the clock that all answers share."""
        self._base = 0.0
        self._since_sum = 0.0
        self._left = 0.0
        self._pace = self._read_rate = 0.0
        self.next_at = inf
        self.first_tokens, self.first_wait_seconds = 0, 0.0

    @property
    def running(self) -> int:
        """Return how many are admitted."""
        return len(self._running) + len(self.reading)

    @property
    def waiting(self) -> int:
        """Return how many wait for the cache."""
        return len(self._waiting)

    @property
    def held(self) -> int:
        """Return how many requests it has in all."""
        return len(self._running) + len(self.reading) + len(self._waiting)

    def used_tokens(self) -> float:
        """Return how many tokens of the cache are in use."""
        return self._base + len(self._running) * (self._steps + HALF_BLOCK) - self._since_sum

    def submit(self, request: Request) -> None:
        """Take a request; the engine has been advanced to its time."""
        self._waiting.append(request)
        self._plan()

    def advance(self, now: float) -> None:
        """Go on to `now`, not beyond `next_at`."""
        passed = now - self.at
        if passed > 0:
            self._steps += passed * self._pace
            if self.reading:
                self._left -= passed * self._read_rate
            self.at = now

    def event(self) -> None:
        """Let happen what is due at `next_at`: a prompt is read, an answer ends, or the cache is full."""
        self.advance(self.next_at)
        if self.reading and self._left <= SETTLED:
            self._begin_answer()
        while self._ends and self._ends[0][0] <= self._steps + SETTLED:
            until, number = heappop(self._ends)
            request = self._running.get(number)
            if request is not None and request.until == until:
                self._leave(number, request)
                request.ended_at = self.at
        if self._running and self.used_tokens() >= self.speed.kv_tokens - SETTLED:
            self._throw_out()
        self._plan()

    def abandon(self) -> list[Request]:
        """Return every request it still has, as if none had begun: the machine is gone."""
        left = [*self._running.values(), *self.reading, *self._waiting]
        for request in left:
            request.written, request.first_at = 0.0, inf
        self._running.clear()
        self.reading.clear()
        self._waiting.clear()
        self._ends.clear()
        self.next_at = inf
        return left

    def _begin_answer(self) -> None:
        request = self.reading.popleft()
        if request.first_at == inf:
            request.first_at = self.at
            self.first_tokens += 1
            self.first_wait_seconds += self.at - request.arrived_at
        self._left = self._to_read(self.reading[0]) if self.reading else 0.0
        request.since = self._steps
        request.until = self._steps + max(0.0, request.answer - request.written - 1)
        self._since_sum += request.since
        self._number += 1
        self._running[self._number] = request
        heappush(self._ends, (request.until, self._number))

    def _leave(self, number: int, request: Request) -> None:
        del self._running[number]
        self._since_sum -= request.since
        self._base -= self._to_read(request)

    def _throw_out(self) -> None:
        number = next(reversed(self._running))
        request = self._running[number]
        self._leave(number, request)
        request.until = -1.0
        request.written += self._steps - request.since
        self._waiting.appendleft(request)

    def _plan(self) -> None:
        """Admit what fits, and say when something happens next."""
        waiting, reading, running, speed = self._waiting, self.reading, self._running, self.speed
        used = self.used_tokens()
        while waiting and len(running) + len(reading) < DEFAULT_MAX_NUM_SEQS:
            request = waiting[0]
            need = self._to_read(request)
            if used + need + BLOCK > speed.kv_tokens:
                break
            waiting.popleft()
            used += need
            self._base += need
            if not reading:
                self._left = need
            reading.append(request)
        count = len(running)
        if reading:
            step = speed.step(min(BATCH_TOKENS, count + self._left), used)
            self._pace = 1 / step
            self._read_rate = min(BATCH_TOKENS - count, max(self._left, 1.0)) / step
            due = self._left / self._read_rate
        elif count:
            step = speed.step(count, used)
            self._pace = 1 / step
            due = inf
        else:
            self._pace, self.next_at = 0.0, inf
            return
        if count:
            ends = self._ends
            while ends[0][1] not in running or running[ends[0][1]].until != ends[0][0]:
                heappop(ends)
            due = min(due, (ends[0][0] - self._steps) * step, (speed.kv_tokens - used) / count * step)
        self.next_at = self.at + max(due, LEAST_SECONDS)

    @staticmethod
    def _to_read(request: Request) -> float:
        return request.prompt + request.written
