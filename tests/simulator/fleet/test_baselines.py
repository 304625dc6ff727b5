"""Each baseline by the arithmetic of its source."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.fleet.baselines import Hpa, Keda, Kpa, Nobody, SkyServe
from simulator.fleet.scaler import Scaler, Seen


def seen(now: float, **changes: Any) -> Seen:
    base: dict[str, Any] = {
        "now": now,
        "owned": 2,
        "ready": 2,
        "ordered": 0,
        "running": 0,
        "waiting": 0,
        "kv_cache_usage": 0.5,
        "first_token_seconds": 0.5,
        "requests_per_second": 1.0,
        "concurrency": [0],
    }
    return Seen(**(base | changes))


@pytest.mark.parametrize(("in_flight", "workers"), [(20, 0), (21, 0), (23, 1), (31, 2), (300, 2)])
def test_hpa_follows_the_ratio_outside_its_tolerance(in_flight: int, workers: int) -> None:
    assert Hpa(10).workers(seen(0, running=in_flight)) == workers


def test_hpa_counts_replicas_that_are_not_ready_as_idle_on_the_way_up() -> None:
    assert Hpa(10).workers(seen(0, running=28, ready=2, ordered=1)) == 1


@pytest.mark.parametrize("scaler", [Hpa(10), Keda()])
def test_the_way_down_takes_the_highest_advice_of_five_minutes(scaler: Scaler) -> None:
    assert scaler.workers(seen(0, waiting=40)) == 2
    assert scaler.workers(seen(299, running=1, ready=4, ordered=2)) == 2
    assert scaler.workers(seen(301, running=1, ready=4, ordered=2)) == 0


@pytest.mark.parametrize(("waiting", "workers"), [(0, 0), (10, 0), (12, 1), (16, 2)])
def test_keda_asks_for_a_replica_for_each_five_that_wait(waiting: int, workers: int) -> None:
    assert Keda().workers(seen(0, waiting=waiting)) == workers


def test_kpa_takes_a_minutes_mean_and_goes_down_as_soon() -> None:
    scaler = Kpa(10)
    assert scaler.workers(seen(0, concurrency=[25] * 30)) == 1
    assert scaler.workers(seen(2, ready=3, ordered=1, concurrency=[15] * 30)) == 0


def test_kpa_panics_at_twice_what_is_ready_and_does_not_shrink_for_a_minute() -> None:
    scaler = Kpa(10)
    assert scaler.workers(seen(0, concurrency=[10] * 27 + [45] * 3)) == 2
    assert scaler.workers(seen(58, concurrency=[10] * 30)) == 2
    assert scaler.workers(seen(60, concurrency=[10] * 30)) == 0


def test_skyserve_waits_for_fifteen_decisions_up_and_sixty_down() -> None:
    scaler = SkyServe(5.0)
    up = [scaler.workers(seen(20.0 * turn, requests_per_second=11.0)) for turn in range(15)]
    assert up == [0] * 14 + [1]
    down = [scaler.workers(seen(20.0 * turn, requests_per_second=1.0)) for turn in range(60)]
    assert down == [1] * 59 + [0]


def test_skyserve_begins_again_after_one_sample_that_differs() -> None:
    scaler = SkyServe(5.0)
    for _ in range(14):
        scaler.workers(seen(0, requests_per_second=11.0))
    scaler.workers(seen(0, requests_per_second=1.0))
    assert scaler.workers(seen(0, requests_per_second=11.0)) == 0


def test_no_autoscaler_asks_for_nothing() -> None:
    assert Nobody().workers(seen(0, waiting=1_000)) == 0
