from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide import decide
from autoscaler.policy import Spending, Zone
from autoscaler.records import Instance, Inventory, Launch, Ledger, Observation, State, Status, Worker
from autoscaler.spending import committed_usd, spent, turned
from tests.autoscaler.driven import Driven
from tests.autoscaler.policies import NOW, ZONES, busy, policy

ONE_RUN_USD = 6 * 0.8


def bought(driven: Driven, turns: int = 3, **changes: Any) -> list[str]:
    driven.turns(turns, lambda now: busy(now, **changes))
    return driven.asked(Launch)


def test_a_worker_is_bought_only_if_its_longest_run_fits_the_cap() -> None:
    assert not bought(Driven(policy(spending=Spending(cap_usd_per_month=ONE_RUN_USD - 0.01))))
    assert bought(Driven(policy(spending=Spending(cap_usd_per_month=ONE_RUN_USD))))


def test_a_month_of_which_nobody_knows_the_cost_buys_nothing_and_the_next_one_does() -> None:
    rules = policy(spending=Spending(cap_usd_per_month=40))
    blind = Driven(rules)
    blind.state = State(ledger=spent(40, NOW))
    assert not bought(blind, 60)
    assert "40.00 may be spent" in blind.reasons[-1]
    later = Driven(rules)
    later.state, later.now = State(ledger=spent(40, NOW)), NOW + 31 * 86_400
    assert bought(later)


def test_what_is_committed_counts_before_it_is_spent() -> None:
    driven = Driven(policy(spending=Spending(cap_usd_per_month=1.5 * ONE_RUN_USD)))
    assert len(set(bought(driven, 60))) == 1
    assert "the month's workers could cost" in driven.reasons[-1]


@pytest.mark.parametrize("headroom", [None, math.nan, math.inf, -5.0, ONE_RUN_USD - 0.01])
def test_a_headroom_that_is_unknown_or_too_small_buys_nothing(headroom: float | None) -> None:
    assert not bought(Driven(policy()), headroom_usd=headroom)


def test_the_cheapest_zone_with_a_fresh_price_is_taken() -> None:
    for zones, expected in (
        (ZONES, "us-central1-b"),
        ((ZONES[0], ZONES[1].model_copy(update={"price_expires_at": NOW})), "us-central1-a"),
        ((ZONES[0], ZONES[1].model_copy(update={"usd_per_hour": None})), "us-central1-a"),
    ):
        driven = Driven(policy(zones=zones))
        bought(driven)
        assert [one.zone for one in driven.state.workers] == [expected]


def test_without_a_fresh_price_nothing_is_bought() -> None:
    old = tuple(Zone(name=one.name, usd_per_hour=one.usd_per_hour, price_expires_at=NOW) for one in ZONES)
    assert not bought(Driven(policy(zones=old)))
    assert not bought(Driven(policy(zones=())))


def test_an_episode_ends_all_its_workers_at_its_own_end() -> None:
    driven = Driven(policy(spending=Spending(cap_usd_per_month=1_000, max_hours_per_episode=2)))
    bought(driven, 60)
    assert len({one.expires_at for one in driven.state.workers}) == 1
    assert len(driven.state.workers) == 2


def test_the_days_hours_count_the_longest_run_of_those_that_are_there() -> None:
    day = Spending(cap_usd_per_month=1_000, max_worker_hours_per_day=11)
    driven = Driven(policy(spending=day))
    assert len(bought(driven, 60)) == 1
    assert "6.0 of 11 worker-hours of the day are taken" in driven.reasons[-1]


def test_hours_and_money_come_back_when_a_worker_goes_early() -> None:
    driven = Driven(policy())
    bought(driven)
    (worker,) = driven.state.workers
    driven.instances.clear()
    driven.now += 600
    driven.turns(1, lambda now: busy(now, kv_cache_usage=0.7, waiting=0.0))
    driven.instances.clear()
    driven.state = driven.state.model_copy(update={"workers": (worker.model_copy(update={"seen": True}),)})
    driven.turns(12, lambda now: busy(now, kv_cache_usage=0.7, waiting=0.0))
    assert not driven.state.workers
    assert 0 < driven.state.ledger.month_usd < 0.2


def test_the_ledger_begins_anew_with_the_month_and_the_hours_with_the_day() -> None:
    first = turned(Ledger(), 1_793_400_000.0)  # 2026-10-30
    spent = first.model_copy(update={"month_usd": 5.0, "day_hours": 3.0})
    assert turned(spent, 1_793_400_000.0 + 60) == spent
    assert turned(spent, 1_793_400_000.0 + 86_400) == Ledger(month="2026-10", month_usd=5.0, day=spent.day + 1)
    assert turned(spent, 1_793_400_000.0 + 3 * 86_400) == Ledger(month="2026-11", day=spent.day + 3)


def test_a_worker_that_lives_into_the_next_month_counts_whole_in_it() -> None:
    worker = Worker(name="a", zone="z", requested_at=NOW, asked_at=NOW, expires_at=NOW + 7_200, usd_per_hour=2)
    assert committed_usd((worker,)) == 4


anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1), st.floats(0, 100))
names = st.sampled_from([f"dreamseed-burst-{number:06d}" for number in range(1, 6)])
instances = st.builds(
    Instance,
    name=names,
    zone=st.sampled_from([zone.name for zone in ZONES]),
    status=st.sampled_from(Status),
    created_at=st.floats(NOW - 1e5, NOW + 1e5),
    expires_at=st.one_of(st.none(), st.floats(NOW - 1e5, NOW + 1e5)),
    draining_since=st.one_of(st.none(), st.floats(NOW - 1e5, NOW + 1e5)),
)
ages = st.floats(-100, 100)


@st.composite
def turns(draw: st.DrawFn) -> tuple[float, Observation]:
    """Return seconds that pass, and a sample of anything, half of them an overload that can be used."""
    seconds = draw(st.floats(0, 4_000))
    listed = Inventory(taken_at=draw(ages), instances=tuple(draw(st.lists(instances, max_size=3))))
    if draw(st.booleans()):
        return seconds, busy(0.0, inventory=listed.model_copy(update={"taken_at": 0.0}))
    return seconds, Observation(
        taken_at=draw(anything),
        kv_cache_usage=draw(anything),
        running=draw(anything),
        waiting=draw(anything),
        first_token_seconds=draw(anything),
        headroom_usd=draw(anything),
        inventory=draw(st.one_of(st.none(), st.just(listed))),
        killed=draw(st.booleans()),
    )


def shifted(observation: Observation, now: float) -> Observation:
    """Return the sample with its ages counted from `now`."""
    listed = observation.inventory
    moved = listed and listed.model_copy(update={"taken_at": now + listed.taken_at})
    taken = observation.taken_at
    return observation.model_copy(update={"inventory": moved, "taken_at": None if taken is None else now + taken})


@given(st.lists(turns(), max_size=60), st.floats(0, 60), st.floats(1, 5_000))
def test_no_trace_whatever_exceeds_the_cap(trace: list[tuple[float, Observation]], cap: float, day: float) -> None:
    limited = policy(spending=Spending(cap_usd_per_month=cap, max_worker_hours_per_day=744))
    state, now, own = State(), NOW, {}
    for seconds, observation in trace:
        now += seconds
        seen = shifted(observation, now)
        decision = decide(state, seen, limited, now)
        State.model_validate_json(decision.state.model_dump_json())
        new = [one for one in decision.actions if isinstance(one, Launch) and one.name not in own]
        for launch in new:
            own[launch.name] = launch
            worst = decision.state.ledger.month_usd + committed_usd(decision.state.workers)
            assert worst <= min(cap, seen.headroom_usd or 0.0) + 1e-6
            assert len(decision.state.workers) <= limited.max_workers
        state = decision.state
