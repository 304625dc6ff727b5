from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.planning.gpu.roofline import step_seconds
from simulator.engine import Engine, EngineLimits
from simulator.fleet.engine import FleetEngine, Request, speed_of
from simulator.sequence import Sequence
from tests.simulator.fleet.stages import engines

INTENT, REPLICAS = engines()
Traffic = list[tuple[float, int, int]]


def traffic(rate: float, seed: int = 1, number: int = 1_500) -> Traffic:
    chance, now, found = random.Random(seed), 0.0, []  # noqa: S311 - traffic, not secrets
    for _ in range(number):
        now += chance.expovariate(rate)
        prompt = min(3_000, max(1, int(chance.lognormvariate(6.3, 0.8))))
        found.append((now, prompt, min(900, max(1, int(chance.lognormvariate(4.8, 0.7))))))
    return found


def fluid(which: int, asked: Traffic) -> list[Request]:
    engine, requests = FleetEngine(speed_of(INTENT, REPLICAS[which]), 0.0), []
    for at, prompt, answer in asked:
        while engine.next_at <= at:
            engine.event()
        engine.advance(at)
        requests.append(Request(at, prompt, answer))
        engine.submit(requests[-1])
    while engine.next_at < math.inf:
        engine.event()
    return requests


def exact(which: int, asked: Traffic) -> list[Sequence]:
    replica = REPLICAS[which]

    def seconds(new: int, context: int) -> float:
        return step_seconds(
            INTENT, replica.gpu, replica.memory, replica.tensor_parallel, new_tokens=new, context_tokens=context
        )

    done: list[Sequence] = []
    engine, now = Engine(EngineLimits(kv_blocks=replica.memory.blocks - 1), seconds), 0.0
    left = list(reversed(asked))
    while left or engine.has_work:
        if not engine.has_work:
            now = max(now, left[-1][0])
        while left and left[-1][0] <= now:
            at, prompt, answer = left.pop()
            done.append(Sequence(name=str(len(done)), prompt_tokens=prompt, answer_tokens=answer))
            engine.submit(done[-1], at)
        now = engine.step(now).ended_at
    return done


@pytest.mark.parametrize(
    ("which", "rate"), [(0, 2.0), (0, 4.0), (0, 9.0), (1, 2.0), (1, 3.0), (2, 0.1), (2, 0.3), (2, 0.6)]
)
def test_joined_steps_give_the_times_of_the_engine_that_takes_each(which: int, rate: float) -> None:
    asked = traffic(rate)
    quick, slow = fluid(which, asked), exact(which, asked)
    whole = fmean(one.ended_at - one.arrived_at for one in quick)
    assert whole == pytest.approx(fmean((one.last_token_at or 0) - one.arrived_at for one in slow), rel=0.06)
    first = fmean(one.first_at - one.arrived_at for one in quick)
    assert first == pytest.approx(fmean((one.first_token_at or 0) - one.arrived_at for one in slow), rel=0.15)


@given(st.sampled_from(REPLICAS), st.integers(1, 4_000), st.integers(0, 60_000))
def test_the_terms_taken_apart_are_the_rooflines(replica: object, new: int, context: int) -> None:
    chosen = next(one for one in REPLICAS if one is replica)
    expected = step_seconds(
        INTENT, chosen.gpu, chosen.memory, chosen.tensor_parallel, new_tokens=new, context_tokens=context
    )
    assert speed_of(INTENT, chosen).step(new, context) == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 2_000), st.integers(1, 900)), max_size=60))
def test_every_request_ends_and_its_first_token_comes_first(asked: Traffic) -> None:
    requests = fluid(2, sorted(asked))
    assert all(one.arrived_at < one.first_at <= one.ended_at < math.inf for one in requests)


def test_an_engine_that_is_taken_away_gives_all_its_requests_back() -> None:
    engine = FleetEngine(speed_of(INTENT, REPLICAS[2]), 0.0)
    requests = [Request(0.0, 900, 200) for _ in range(30)]
    for one in requests:
        engine.submit(one)
    for _ in range(5):
        engine.event()
    assert engine.running
    assert engine.waiting
    assert sorted(map(id, engine.abandon())) == sorted(map(id, requests))
    assert engine.held == 0
    assert all(one.first_at == math.inf and not one.written for one in requests)
