"""The promises, held over random walks on the stand-in, and mutants of the rules that keep them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

import autoscaler.decide
import autoscaler.spending
import autoscaler.workers
from autoscaler.policy import Policy, Spending
from autoscaler.records import Launch, Verdict
from simulator.compute.model import Faults
from simulator.compute.walk import BrokenPromiseError, Walk, walk
from tests.autoscaler.policies import busy, policy, sample

CHEAP = policy(spending=Spending(cap_usd_per_month=8))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_under_faults_and_crashes_keeps_every_promise(seed: int) -> None:
    found = walk(policy(), seed, 2_000)
    assert found.machines > 3
    assert found.crashes > 3
    assert found.most_machines == 2


@pytest.mark.parametrize("left", [number / 2 for number in range(8)])
@pytest.mark.parametrize("moment", ["before anything", "launch", "drain"])
def test_a_crash_at_any_call_and_a_restart_end_as_no_crash_does(moment: str, left: float) -> None:
    one = Walk(policy(), 1, Faults())
    if moment != "before anything":
        for _ in range(60 if moment == "drain" else 2):
            one.now += 15
            one.take(one.memory, one.cloud, busy(one.now))
    if moment == "drain":
        for _ in range(60):
            one.now += 15
            one.take(one.memory, one.cloud, sample(one.now))
        for _ in range(17):
            one.now += 15
            one.take(one.memory, one.cloud, quiet(one.now))
        one.now += 15
        one.twin(quiet(one.now), left)
    else:
        one.now += 15
        one.twin(busy(one.now), left)
    assert one.found.twins == 1


def quiet(now: float) -> Any:
    return sample(now, kv_cache_usage=0.2, waiting=0.0, first_token_seconds=0.2)


def _no_cap(original: Callable[..., str | None]) -> Callable[..., str | None]:
    def mutant(*arguments: Any) -> str | None:
        refused = original(*arguments)
        return None if refused and "could cost" in refused else refused

    return mutant


def _no_count(original: Callable[..., str | None]) -> Callable[..., str | None]:
    def mutant(*arguments: Any) -> str | None:
        refused = original(*arguments)
        return None if refused and "workers are there" in refused else refused

    return mutant


def _full_run(original: Callable[..., Launch | None]) -> Callable[..., Launch | None]:
    def mutant(worker: Any, epoch: int, rules: Policy, now: float) -> Launch | None:
        launch = original(worker, epoch, rules, now)
        return launch and launch.model_copy(update={"max_run_seconds": int(rules.life.max_run_seconds)})

    return mutant


def _another_name(original: Callable[..., Launch | None]) -> Callable[..., Launch | None]:
    def mutant(worker: Any, epoch: int, rules: Policy, now: float) -> Launch | None:
        launch = original(worker, epoch, rules, now)
        return launch and launch.model_copy(update={"name": f"{launch.name}-{int(now)}"})

    return mutant


def _constant(value: object) -> Callable[[Any], Callable[..., object]]:
    return lambda _original: lambda *_arguments: value


def walks(rules: Policy) -> None:
    """Walk from twelve seeds."""
    for seed in range(12):
        walk(rules, seed, 3_000)


MUTANTS: dict[str, tuple[object, str, Callable[[Any], Any], Policy, str]] = {
    "the cap is not asked": (autoscaler.decide, "refusal", _no_cap, CHEAP, "USD in"),
    "the number of workers is not asked": (autoscaler.decide, "refusal", _no_count, policy(), "machines"),
    "no cooldown": (autoscaler.decide, "_cooling", _constant(False), policy(), "s after the last"),
    "a request made again has the whole run": (autoscaler.workers, "launch", _full_run, policy(), "outlives"),
    "a request made again has another name": (autoscaler.workers, "launch", _another_name, policy(), "machines"),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_the_walk_catches_a_mutant(
    mutant: tuple[object, str, Callable[[Any], Any], Policy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, mutate, rules, promise = mutant
    monkeypatch.setattr(module, name, mutate(getattr(module, name)))
    with pytest.raises(BrokenPromiseError, match=promise):
        walks(rules)


def test_a_mutant_that_buys_on_unknown_data_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscaler.decide, "judge", lambda *_: (Verdict.UP, "mutant"))
    one = Walk(policy(), 0, Faults())
    for _ in range(3):
        one.now += 15
        one.take(one.memory, one.cloud, sample(one.now, kv_cache_usage=None))
    assert one.compute.machines, "the mutant must be one, or the tests on unknown data prove nothing"


@pytest.mark.parametrize("mutant", [False, True])
def test_workers_of_a_daemon_that_died_cost_no_more_than_the_cap(mutant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if mutant:
        monkeypatch.setattr(autoscaler.spending, "committed_usd", lambda _: 0.0)
    one = Walk(CHEAP, 0, Faults())
    for _ in range(60):
        one.now += 15
        one.take(one.memory, one.cloud, busy(one.now))
    left_alone_usd = sum(machine.billed_seconds(1e12) for machine in one.compute.machines) / 3_600 * 0.8
    assert left_alone_usd > 4
    assert (left_alone_usd > CHEAP.spending.cap_usd_per_month) is mutant
