from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.planning.gpu.roofline import capacity
from simulator.engine import Engine, EngineLimits, Rejection, Step
from simulator.sequence import BLOCK_TOKENS, FinishReason, Sequence, blocks_of
from tests.simulator.made import settings

Action = tuple[str, int, int]


def a_second(_: int, __: int) -> float:
    return 1.0


def sequence(name: str, prompt: int, answer: int) -> Sequence:
    return Sequence(name=name, prompt_tokens=prompt, answer_tokens=answer)


@dataclass
class Run:
    """An engine that is driven step by step, with what was seen on the way."""

    limits: EngineLimits
    step_time: Callable[[int, int], float] = a_second
    submitted: list[Sequence] = field(default_factory=list)
    aborted: list[Sequence] = field(default_factory=list)
    finished: list[Sequence] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.engine = Engine(self.limits, self.step_time)

    def submit(self, prompt: int, answer: int) -> Sequence:
        made = sequence(str(len(self.submitted)), prompt, answer)
        self.engine.submit(made, self.now)
        self.submitted.append(made)
        return made

    def step(self) -> Step:
        step = self.engine.step(self.now)
        self.now = step.ended_at
        self.steps.append(step)
        self.finished += step.finished
        return step

    def drain(self) -> None:
        while self.engine.has_work:
            self.step()


def blocks_counted_one_by_one(run: Run) -> int:
    """Return the blocks of all requests that hold any, counted without the engine's own sums."""
    held = 0
    for one in run.submitted:
        if one.finished is not None or one.name not in run.engine._running:
            continue
        written_now = run.engine.written_tokens(one) - one.written_tokens
        held += blocks_of(one.computed_tokens + written_now if one.decoding else one.tokens_to_read)
    return held


LIMITS = st.builds(
    lambda blocks, seqs, extra: EngineLimits(kv_blocks=blocks, max_num_seqs=seqs, max_num_batched_tokens=seqs + extra),
    st.integers(8, 40),
    st.integers(1, 6),
    st.integers(0, 60),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 60), st.integers(1, 68)),
        st.tuples(st.just("step"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("abort"), st.integers(0, 30), st.just(0)),
    ),
    max_size=40,
)


@given(LIMITS, ACTIONS)
def test_requests_are_neither_lost_nor_doubled_and_no_limit_is_ever_passed(
    limits: EngineLimits, actions: list[Action]
) -> None:
    run = Run(limits)
    for kind, first, second in actions:
        if kind == "submit":
            run.submit(first, second)
        elif kind == "abort" and first < len(run.submitted):
            if run.engine.abort(run.submitted[first]):
                run.aborted.append(run.submitted[first])
        elif kind == "step":
            for _ in range(first):
                if run.engine.has_work:
                    step = run.step()
                    assert step.computed_tokens <= limits.max_num_batched_tokens
                    assert step.computed_tokens > 0
        assert run.engine.running <= limits.max_num_seqs
        assert run.engine.used_blocks == blocks_counted_one_by_one(run) <= limits.kv_blocks
        under_way = run.engine.running + run.engine.waiting
        assert len(run.submitted) == under_way + len(run.finished) + len(run.aborted)
    run.drain()
    assert run.engine.used_blocks == 0
    assert len(run.submitted) == len({one.name for one in run.finished + run.aborted})
    assert all(one.written_tokens == one.answer_tokens for one in run.finished)
    written = sum(one.written_tokens for one in run.submitted)
    assert written == sum(step.written_tokens for step in run.steps)
    assert run.engine._ending == {}
    assert run.engine._growing == [0] * BLOCK_TOKENS
    assert run.engine._context_tokens == run.engine._queued_tokens == 0


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=25), LIMITS)
def test_requests_are_scheduled_in_the_order_in_which_they_came(
    requests: list[tuple[int, int]], limits: EngineLimits
) -> None:
    run = Run(limits)
    for prompt, answer in requests:
        run.submit(prompt, answer)
    run.drain()
    scheduled = [one.scheduled_at for one in run.submitted if one.scheduled_at is not None]
    assert len(scheduled) == len(requests)
    assert scheduled == sorted(scheduled)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(2, 60)), min_size=1, max_size=15), LIMITS)
def test_every_token_after_the_first_has_one_gap(requests: list[tuple[int, int]], limits: EngineLimits) -> None:
    run = Run(limits)
    for prompt, answer in requests:
        run.submit(prompt, answer)
    run.drain()
    gaps = [gap for step in run.steps for gap in step.gaps]
    assert sum(count for _, count in gaps) == sum(answer - 1 for _, answer in requests)
    times = [(one.first_token_at, one.last_token_at) for one in run.submitted]
    spans = sum(last - first for first, last in times if first is not None and last is not None)
    assert sum(seconds * count for seconds, count in gaps) == pytest.approx(spans)


def test_a_long_prompt_is_read_in_chunks_beside_the_answers_of_others() -> None:
    run = Run(EngineLimits(kv_blocks=100, max_num_seqs=8, max_num_batched_tokens=32))
    run.submit(10, 20)
    run.step()
    late = run.submit(100, 1)
    steps = [run.step() for _ in range(4)]
    assert [step.computed_tokens for step in steps] == [32, 32, 32, 1 + 7]
    assert all(step.written_tokens >= 1 for step in steps)
    assert late.finished is FinishReason.LENGTH


def test_the_youngest_is_thrown_out_when_the_cache_is_full_and_starts_again_before_those_who_wait() -> None:
    run = Run(EngineLimits(kv_blocks=4, max_num_seqs=4, max_num_batched_tokens=64))
    first, second = run.submit(31, 20), run.submit(31, 10)
    third = run.submit(1, 20)
    run.step()
    run.step()
    assert run.engine.used_blocks == 4
    thrown = run.step()
    assert (run.engine.running, run.engine.waiting) == (1, 2)
    assert [one.name for one in thrown.preempted] == [second.name]
    assert (second.preemptions, run.engine.preemptions) == (1, 1)
    run.drain()
    assert [one.name for one in run.finished] == [first.name, second.name, third.name]
    assert second.written_tokens == 10


def test_a_request_that_leaves_gives_its_place_and_its_blocks_to_the_next_one() -> None:
    run = Run(EngineLimits(kv_blocks=10, max_num_seqs=1, max_num_batched_tokens=64))
    first, second = run.submit(20, 50), run.submit(20, 2)
    run.step()
    assert run.engine.abort(first)
    assert not run.engine.abort(first)
    assert first.finished is FinishReason.ABORT
    assert run.step().answered == [second]


def test_running_requests_count_for_the_queue_limit() -> None:
    run = Run(EngineLimits(kv_blocks=100, max_num_queued_reqs=2))
    run.submit(5, 50)
    run.step()
    assert run.engine.rejection() is None
    run.submit(5, 50)
    assert run.engine.rejection() is Rejection.REQUESTS


def test_prompts_that_are_not_read_yet_count_for_the_token_limit() -> None:
    run = Run(EngineLimits(kv_blocks=100, max_num_queued_tokens=10))
    run.submit(10, 5)
    assert run.engine.rejection() is Rejection.TOKENS
    run.step()
    assert run.engine.rejection() is None


def test_a_request_that_the_cache_can_never_hold_is_refused() -> None:
    run = Run(EngineLimits(kv_blocks=4))
    with pytest.raises(ValueError, match="exceed the cache"):
        run.submit(60, 10)
    with pytest.raises(ValueError, match="at least one token"):
        run.submit(0, 10)


def test_a_batch_without_room_for_its_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="has room"):
        Engine(EngineLimits(kv_blocks=4, max_num_seqs=8, max_num_batched_tokens=7), a_second)


@pytest.mark.parametrize("size", [1, 2])
def test_a_saturated_engine_writes_more_than_the_roofline_of_full_requests_and_less_than_that_of_half_written_ones(
    size: int,
) -> None:
    made = settings("--tensor-parallel-size", str(size))

    def bound(tokens: int) -> float:
        return capacity(made.intent, made.pace.gpu, made.memory, size, tokens).tokens_per_second_low

    run = Run(made.limits, made.step_time)
    for _ in range(600):
        run.submit(64, 448)
    run.drain()
    mean_context = 64 + 448 // 2
    assert bound(512) < 600 * 448 / run.now < bound(mean_context)


def test_the_time_of_a_step_is_told_its_tokens_and_its_context() -> None:
    seen: list[tuple[int, int]] = []

    def step_time(new_tokens: int, context_tokens: int) -> float:
        seen.append((new_tokens, context_tokens))
        return 0.5

    run = Run(EngineLimits(kv_blocks=100, max_num_seqs=8, max_num_batched_tokens=32), step_time)
    run.submit(40, 3)
    run.drain()
    assert seen == [(32, 0), (8, 32), (1, 41), (1, 42)]
    assert run.now == 2.0
