from __future__ import annotations

from collections.abc import Callable

import pytest

from autoscaler.decide import decide
from autoscaler.policy import LookAhead, Policy
from autoscaler.records import (
    BuyCard,
    Decision,
    Delete,
    Drain,
    Instance,
    Inventory,
    Launch,
    Observation,
    Pattern,
    Phase,
    State,
    Status,
)
from autoscaler.workers import request_id
from tests.autoscaler.driven import TURN_SECONDS, Driven, launches
from tests.autoscaler.policies import NOW, busy, idle, policy, sample

UNKNOWN = {"kv_cache_usage": None}


def served(driven: Driven) -> Driven:
    """Return the daemon once one worker serves and neither its cooldown nor its least time forbids anything."""
    driven.turns(3, busy)
    driven.turns(60, sample)
    assert [one.phase for one in driven.state.workers] == [Phase.SERVING]
    return driven


def test_three_of_five_samples_buy_a_worker_and_two_do_not() -> None:
    driven = Driven(policy())
    for observe in (busy, sample, busy, sample):
        assert not driven.turn(observe).actions
    assert launches(driven.turn(busy).actions)


def test_a_decision_is_the_same_each_time_and_survives_json() -> None:
    driven = Driven(policy())
    driven.turns(2, busy)
    state = State.model_validate_json(driven.state.model_dump_json())
    first, again = (decide(one, busy(driven.now), policy(), driven.now) for one in (driven.state, state))
    assert first == again
    assert Decision.model_validate_json(first.model_dump_json()) == first
    assert launches(first.actions)


def test_the_worker_is_named_by_its_number_and_labelled_with_owner_and_end() -> None:
    driven = Driven(policy())
    driven.turns(3, busy)
    (launch,) = launches(action for _, action in driven.actions)
    assert launch == Launch(
        name="dreamseed-burst-000001",
        request_id=request_id("dreamseed-burst-000001", driven.now),
        zone="us-central1-b",
        owner="dreamseed-burst",
        epoch=0,
        expires_at=driven.now + 21_600,
        max_run_seconds=21_300,
    )


def test_a_second_worker_waits_for_the_cooldown_and_never_is_there_a_third() -> None:
    driven = Driven(policy())
    driven.turns(200, busy)
    first, second = [at for at, action in driven.actions if isinstance(action, Launch)]
    assert second - first >= policy().up_cooldown_seconds


def test_a_worker_on_its_way_is_counted_before_another_is_bought() -> None:
    driven = Driven(policy(), follows=False)
    driven.turns(30, lambda now: sample(now, kv_cache_usage=0.9))
    assert driven.asked(Launch) == ["dreamseed-burst-000001"] * 4, "asked for again, for the list lacks it"
    assert "1 on the way will do" in driven.reasons[-1]


def test_a_worker_drains_before_it_is_deleted() -> None:
    driven = served(Driven(policy()))
    driven.turns(40, idle)
    kinds = [type(action) for _, action in driven.actions]
    assert kinds[kinds.index(Drain) :] == [Drain, Delete]
    assert not driven.state.workers


def test_one_more_is_not_released_if_the_rest_would_ask_for_it_again() -> None:
    small = policy(owned_kv_tokens=8_384, worker_kv_tokens=8_384)
    driven = served(Driven(small))
    driven.turns(100, lambda now: idle(now, kv_cache_usage=0.45))
    assert not driven.asked(Drain)
    assert "one fewer would ask for one more" in driven.reasons
    driven.turns(30, lambda now: idle(now, kv_cache_usage=0.40))
    assert driven.asked(Drain) == ["dreamseed-burst-000001"]


@pytest.mark.parametrize("observe", [busy, idle])
def test_unknown_data_neither_buys_nor_releases(observe: Callable[..., Observation]) -> None:
    driven = served(Driven(policy())) if observe is idle else Driven(policy())
    before = len(driven.actions)
    driven.turns(60, lambda now: observe(now, **UNKNOWN))
    assert len(driven.actions) == before


def test_samples_from_before_a_gap_do_not_buy_within_it() -> None:
    driven = Driven(policy())
    driven.turns(2, busy)
    assert not driven.turn(lambda now: busy(now, taken_at=now - 120)).actions


def test_without_the_clouds_list_nothing_is_bought_or_released() -> None:
    state = State()
    for number in range(10):
        now = NOW + number * TURN_SECONDS
        decision = decide(state, busy(now, inventory=Inventory(taken_at=now - 100)), policy(), now)
        state = decision.state
        assert not decision.actions


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_clock_that_shows_no_time_changes_nothing(now: float) -> None:
    state = State(launches=3)
    assert decide(state, busy(), policy(), now) == Decision(state=state, reasons=("the clock shows no time",))


def test_a_clock_that_goes_back_stands_still() -> None:
    driven = Driven(policy())
    driven.turns(3, busy)
    decision = decide(driven.state, busy(driven.now), policy(), driven.now - 5_000)
    assert decision.state.decided_at == driven.now


def test_the_kill_switch_deletes_all_and_buys_nothing() -> None:
    driven = served(Driven(policy()))
    driven.turns(20, lambda now: busy(now, killed=True))
    assert driven.asked(Delete) == ["dreamseed-burst-000001"]
    assert not driven.state.workers
    assert driven.asked(Launch) == ["dreamseed-burst-000001"]


def test_the_kill_switch_works_without_signals_and_without_a_list() -> None:
    driven = served(Driven(policy()))
    dark = Observation(killed=True)
    decision = decide(driven.state, dark, policy(), driven.now + 15)
    assert [type(action) for action in decision.actions] == [Delete]


def test_a_card_is_asked_for_once_a_week_with_its_price_and_its_lead_time() -> None:
    driven = Driven(policy(max_workers=0))
    driven.turns(1_000, busy)
    assert [action for _, action in driven.actions] == [BuyCard(card="rtx-5090", usd=1_999, lead_days=14)]
    driven.now += policy().purchase.repeat_seconds
    driven.turns(5, busy)
    assert len(driven.actions) == 2


def with_pattern(peak: float) -> tuple[Policy, State]:
    """Return a state that expects `peak` in the part of the day eight minutes from now."""
    ahead = policy(look_ahead=LookAhead())
    place = int((NOW + ahead.life.cold_start_seconds + TURN_SECONDS) % 86_400) // 600
    loads: list[float | None] = [0.5] * 144
    loads[place] = peak
    return ahead, State(pattern=Pattern(loads=tuple(loads)))


@pytest.mark.parametrize(("peak", "usage", "bought"), [(0.95, 0.7, True), (0.8, 0.7, False), (0.95, 0.3, False)])
def test_a_worker_is_there_before_a_peak_that_earlier_days_had(peak: float, usage: float, bought: bool) -> None:
    ahead, state = with_pattern(peak)
    driven = Driven(ahead, state)
    assert bool(driven.turn(lambda now: sample(now, kv_cache_usage=usage, waiting=0.0)).actions) is bought


def test_the_daily_pattern_is_learned_from_the_day_before() -> None:
    ahead = policy(look_ahead=LookAhead())
    driven = Driven(ahead)
    driven.turns(
        4 * 60 * 25, lambda now: sample(now, kv_cache_usage=0.8 if now % 86_400 < 43_200 else 0.4, waiting=0.0)
    )
    loads = driven.state.pattern.loads
    assert loads[10] == pytest.approx(0.8)
    assert loads[100] == pytest.approx(0.4)


def test_a_machine_that_nobody_remembers_is_deleted_and_counted() -> None:
    stray = Instance(name="dreamseed-burst-000077", zone="us-central1-a", status=Status.RUNNING, created_at=NOW - 7_200)
    driven = Driven(policy(), instances={stray.name: stray})
    driven.turns(2, sample)
    assert driven.asked(Delete) == [stray.name]
    assert not driven.state.workers
    assert driven.state.ledger.month_usd == pytest.approx(2.0, abs=0.02), "two hours at the dearest zone's price"
