"""Continuous batching as vLLM does it, on a clock that the caller keeps.

Each step computes one token for every request that is being answered and fills what is left of the batch with prompts,
in chunks, first come first served. A request is admitted when the cache has room for its whole prompt; when the cache
runs full the youngest request is thrown out, waits in front and starts again. Source: vLLM 0.31.0,
v1/core/sched/scheduler.py and v1/engine/async_llm.py (`check_admission`), read 2026-11-24.

The cost of a step does not depend on how many requests are being answered: all of them advance alike, so the engine
counts steps and keeps, by the step's number, who ends and how many need a further block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from simulator.sequence import BLOCK_TOKENS, FinishReason, Sequence, blocks_of

StepTime = Callable[[int, int], float]
"""Seconds of a step, from the tokens it computes and the tokens of context it reads."""


class Rejection(StrEnum):
    """Which limit refused a request, as the label of vLLM's counter names it."""

    REQUESTS = "max_num_queued_reqs"
    TOKENS = "max_num_queued_tokens"


@dataclass(frozen=True, kw_only=True)
class EngineLimits:
    """What one engine holds; `kv_blocks` are blocks of 16 tokens that requests can use."""

    kv_blocks: int
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 2048
    max_num_queued_reqs: int | None = None
    max_num_queued_tokens: int | None = None


@dataclass(kw_only=True)
class Step:
    """What one step did. A `gap` is the time since the request's token before, in seconds, and how many had it."""

    started_at: float
    ended_at: float = 0.0
    computed_tokens: int = 0
    written_tokens: int = 0
    answered: list[Sequence] = field(default_factory=list)
    """Requests that got the first token of a run of decoding: their first, or the first after a preemption."""
    finished: list[Sequence] = field(default_factory=list)
    preempted: list[Sequence] = field(default_factory=list)
    gaps: list[tuple[float, int]] = field(default_factory=list)


class Engine:
    """One vLLM engine. The caller starts a step when the one before has ended; between them requests come and go."""

    def __init__(self, limits: EngineLimits, step_time: StepTime) -> None:
        if limits.max_num_batched_tokens < limits.max_num_seqs:
            raise ValueError("a batch has room for a token of each of its requests")
        self.limits = limits
        self.preemptions = 0
        self._step_time = step_time
        self._waiting: deque[Sequence] = deque()
        self._reading: dict[str, Sequence] = {}
        self._running: dict[str, Sequence] = {}
        self._queued_tokens = 0
        self._used_blocks = 0
        self._steps = 0
        self._last_ended_at = 0.0
        self._context_tokens = 0
        self._ending: dict[int, dict[str, Sequence]] = {}
        self._growing = [0] * BLOCK_TOKENS

    @property
    def running(self) -> int:
        """Return how many requests are in the batch."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a place in the batch."""
        return len(self._waiting)

    @property
    def has_work(self) -> bool:
        """Return whether a further step would do anything."""
        return bool(self._running or self._waiting)

    @property
    def used_blocks(self) -> int:
        """Return how many blocks of the cache are taken."""
        return self._used_blocks

    def written_tokens(self, sequence: Sequence) -> int:
        """Return how many tokens of the answer are written."""
        return sequence.written_tokens + self._decoded(sequence)

    def rejection(self) -> Rejection | None:
        """Return the limit that would refuse one more request now; running requests count too."""
        requests, tokens = self.limits.max_num_queued_reqs, self.limits.max_num_queued_tokens
        if requests is not None and self.running + self.waiting + 1 > requests:
            return Rejection.REQUESTS
        if tokens is not None and self._queued_tokens >= tokens:
            return Rejection.TOKENS
        return None

    def submit(self, sequence: Sequence, now: float) -> None:
        """Put a request last in the queue.

        Raises ValueError when it has no tokens or could never be held by the cache alone.
        """
        if sequence.prompt_tokens < 1 or sequence.answer_tokens < 1:
            raise ValueError(f"{sequence.name}: a request has at least one token of prompt and one of answer")
        if blocks_of(sequence.longest_context_tokens) > self.limits.kv_blocks:
            raise ValueError(f"{sequence.name}: {sequence.longest_context_tokens} tokens exceed the cache")
        sequence.arrived_at = now
        self._queued_tokens += sequence.prompt_tokens
        self._waiting.append(sequence)

    def abort(self, sequence: Sequence) -> bool:
        """Take a request out, its place and its blocks free at once; return False when it had ended before."""
        if sequence.finished is not None:
            return False
        if sequence.name in self._running:
            self._take_out(sequence)
        else:
            self._waiting.remove(sequence)
        self._end(sequence, FinishReason.ABORT)
        return True

    def step(self, now: float) -> Step:
        """Compute one step that starts at `now`; the engine is afterwards as it will be when the step has ended.

        Raises RuntimeError when there is nothing to do.
        """
        if not self.has_work:
            raise RuntimeError("the engine is idle")
        step = Step(started_at=now)
        self._make_room(step)
        decoding = len(self._running) - len(self._reading)
        context_tokens = self._context_tokens + decoding
        budget = self.limits.max_num_batched_tokens - decoding
        read: list[tuple[Sequence, int]] = []
        for sequence in self._reading.values():
            budget = self._read(sequence, budget, read)
        self._admit(budget, read, now)
        context_tokens += sum(sequence.computed_tokens for sequence, _ in read)
        step.computed_tokens = decoding + sum(tokens for _, tokens in read)
        step.ended_at = now + self._step_time(step.computed_tokens, context_tokens)
        self._decode(decoding, step)
        for sequence, tokens in read:
            sequence.computed_tokens += tokens
            if sequence.computed_tokens == sequence.tokens_to_read:
                self._begin_answer(sequence, step)
        self._last_ended_at = step.ended_at
        return step

    def _make_room(self, step: Step) -> None:
        """Give each request that crosses into a further block one, and throw out the youngest while there is none.

        Who is thrown out last stands first in the queue and needs more blocks than are left, so none is admitted in the
        same step; vLLM says so explicitly.
        """
        while self._growing[self._steps % BLOCK_TOKENS] > self.limits.kv_blocks - self._used_blocks:
            victim = next(reversed(self._running.values()))
            self._take_out(victim)
            victim.computed_tokens = 0
            victim.preemptions += 1
            self.preemptions += 1
            step.preempted.append(victim)
            self._waiting.appendleft(victim)
        self._used_blocks += self._growing[self._steps % BLOCK_TOKENS]

    def _read(self, sequence: Sequence, budget: int, read: list[tuple[Sequence, int]]) -> int:
        tokens = min(budget, sequence.tokens_to_read - sequence.computed_tokens)
        if tokens > 0:
            read.append((sequence, tokens))
        return budget - tokens

    def _admit(self, budget: int, read: list[tuple[Sequence, int]], now: float) -> None:
        while self._waiting and budget > 0 and len(self._running) < self.limits.max_num_seqs:
            sequence = self._waiting[0]
            blocks = blocks_of(sequence.tokens_to_read)
            if self._used_blocks + blocks > self.limits.kv_blocks:
                break
            self._waiting.popleft()
            self._used_blocks += blocks
            self._running[sequence.name] = self._reading[sequence.name] = sequence
            if sequence.scheduled_at is None:
                sequence.scheduled_at = now
            budget = self._read(sequence, budget, read)

    def _decode(self, decoding: int, step: Step) -> None:
        self._steps += 1
        self._context_tokens += decoding
        if decoding:
            step.written_tokens += decoding
            step.gaps.append((step.ended_at - self._last_ended_at, decoding))
        for sequence in list(self._ending.get(self._steps, {}).values()):
            self._finish(sequence, step)

    def _begin_answer(self, sequence: Sequence, step: Step) -> None:
        """Let a request whose prompt is read have its next token, and decode from the next step on."""
        del self._reading[sequence.name]
        sequence.written_tokens += 1
        step.written_tokens += 1
        if sequence.first_token_at is None:
            sequence.first_token_at = step.ended_at
            self._queued_tokens -= sequence.prompt_tokens
        elif sequence.last_token_at is not None:
            step.gaps.append((step.ended_at - sequence.last_token_at, 1))
        sequence.decoding, sequence.decoding_since = True, self._steps
        self._context_tokens += sequence.computed_tokens
        self._growing[_phase(sequence)] += 1
        self._ending.setdefault(self._last_step_of(sequence), {})[sequence.name] = sequence
        step.answered.append(sequence)
        if sequence.written_tokens == sequence.answer_tokens:
            self._finish(sequence, step)

    def _finish(self, sequence: Sequence, step: Step) -> None:
        self._take_out(sequence)
        sequence.last_token_at = step.ended_at
        self._end(sequence, sequence.ends_with)
        step.finished.append(sequence)

    def _end(self, sequence: Sequence, reason: FinishReason) -> None:
        if sequence.first_token_at is None:
            self._queued_tokens -= sequence.prompt_tokens
        sequence.finished = reason

    def _take_out(self, sequence: Sequence) -> None:
        """Remove a request from the batch and free its blocks, with what it has written put down in it."""
        del self._running[sequence.name]
        if not sequence.decoding:
            del self._reading[sequence.name]
            self._used_blocks -= blocks_of(sequence.tokens_to_read)
            return
        last_step = self._last_step_of(sequence)
        of_that_step = self._ending[last_step]
        del of_that_step[sequence.name]
        if not of_that_step:
            del self._ending[last_step]
        decoded = self._decoded(sequence)
        self._growing[_phase(sequence)] -= 1
        sequence.computed_tokens += decoded
        sequence.written_tokens += decoded
        self._context_tokens -= sequence.computed_tokens
        self._used_blocks -= blocks_of(sequence.computed_tokens)
        sequence.last_token_at = self._last_ended_at
        sequence.decoding = False

    def _decoded(self, sequence: Sequence) -> int:
        return self._steps - sequence.decoding_since if sequence.decoding else 0

    def _last_step_of(self, sequence: Sequence) -> int:
        return sequence.decoding_since + sequence.answer_tokens - sequence.written_tokens


def _phase(sequence: Sequence) -> int:
    """Return at which steps, modulo a block's tokens, the request needs a further block: when its last one is full."""
    return (sequence.decoding_since - sequence.computed_tokens) % BLOCK_TOKENS
