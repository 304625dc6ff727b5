"""How many instances are kept warm: the rule by cases, its promises by drawn lives, and mutants that these catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autoscaler.bounds as bounds
from autoscaler.bounds import (
    BoundsObservation,
    BoundsPolicy,
    SetWarm,
    decide_bounds,
    month_began_at,
    month_ends_at,
)
from autoscaler.policy import Window
from autoscaler.records import BoundsState, Ledger, Verdict

NOW = 1_790_000_000.0
"""2026-09-21, so that a raised minimum has nine days to pay for."""
TURN = 15.0
PRICE = 0.05


def policy(**changes: Any) -> BoundsPolicy:
    base: dict[str, Any] = {
        "least": 5,
        "most": 25,
        "calm_seconds": 0.25,
        "down_window": Window(agreeing=4, samples=5),
        "usd_per_hour": PRICE,
        "price_expires_at": 1e11,
        "cap_usd_per_month": 10_000,
    }
    return BoundsPolicy(**(base | changes))


def seen(now: float, **changes: Any) -> BoundsObservation:
    base: dict[str, Any] = {"taken_at": now, "firing": 0.0, "tail_seconds": 0.4, "warm": 5, "headroom_usd": 10_000.0}
    return BoundsObservation(**(base | changes))


@dataclass
class Life:
    """A daemon's turns: what is warm in the cloud follows what it asks for, unless somebody else writes it."""

    policy: BoundsPolicy = field(default_factory=policy)
    now: float = NOW
    warm: int = 5
    state: BoundsState = field(default_factory=BoundsState)
    asked: list[int] = field(default_factory=list)
    reason: str = ""

    def turn(self, **changes: Any) -> None:
        self.now += TURN
        observation = seen(self.now, **({"warm": self.warm} | changes))
        decision = decide_bounds(self.state, observation, self.policy, self.now)
        self.state, self.reason = decision.state, decision.reason
        if decision.action is not None:
            self.asked.append(decision.action.count)
            self.warm = decision.action.count

    def slow(self, turns: int = 2, **changes: Any) -> None:
        for _ in range(turns):
            self.turn(**({"firing": 1.0, "tail_seconds": 0.9} | changes))

    def calm(self, turns: int = 5, **changes: Any) -> None:
        for _ in range(turns):
            self.turn(**({"tail_seconds": 0.1} | changes))


def test_while_the_alert_fires_the_minimum_is_raised_step_by_step_with_a_cooldown_up_to_the_stages_bound() -> None:
    life = Life()
    life.slow()
    assert life.asked == [8]
    life.slow(turns=19)
    assert life.asked == [8]
    life.slow(turns=200)
    assert life.asked == [8, 12, 18, 25]
    assert "25 are warm" in life.reason


def test_one_sample_of_the_alert_raises_nothing() -> None:
    life = Life()
    for _ in range(20):
        life.slow(turns=1)
        life.turn()
        life.turn()
    assert life.asked == []


def test_once_it_is_calm_the_minimum_goes_back_to_the_stages_own_and_no_further() -> None:
    life = Life(warm=18, state=BoundsState(wanted=18))
    life.calm(turns=500)
    assert life.asked == [12, 8, 5]


def test_between_the_thresholds_nothing_changes() -> None:
    life = Life(warm=18, state=BoundsState(wanted=18))
    for _ in range(500):
        life.turn(tail_seconds=0.4)
    assert life.asked == []


def test_what_an_up_has_written_anew_is_set_again() -> None:
    life = Life()
    life.slow()
    life.warm = 0
    life.turn()
    assert life.asked == [8, 8]
    assert len(life.state.audit) == 1


def test_bounds_that_the_stage_has_lowered_hold_at_once() -> None:
    life = Life(policy=policy(most=10), warm=18, state=BoundsState(wanted=18))
    life.turn()
    assert life.warm == 10


@pytest.mark.parametrize(
    "bad",
    [
        {"firing": None},
        {"tail_seconds": None},
        {"taken_at": None},
        {"tail_seconds": -1.0},
        {"tail_seconds": float("nan")},
        {"firing": 0.5},
        {"taken_at": NOW - 1_000},
        {"taken_at": NOW + 1e6},
    ],
)
def test_data_that_is_missing_old_or_out_of_range_changes_nothing(bad: dict[str, Any]) -> None:
    life = Life(warm=12, state=BoundsState(wanted=12))
    life.slow(turns=100, **bad)
    life.calm(turns=100, **bad)
    assert life.asked == []


def test_the_kill_switch_goes_back_to_the_stages_own_at_once() -> None:
    life = Life()
    life.slow()
    life.turn(killed=True)
    assert life.asked == [8, 5]
    life.slow(turns=100, killed=True)
    assert life.warm == 5


@pytest.mark.parametrize(
    ("changes", "observed", "words"),
    [
        ({"usd_per_hour": None}, {}, "no fresh price"),
        ({"price_expires_at": NOW}, {}, "no fresh price"),
        ({"cap_usd_per_month": 1.0}, {}, "1.00 a month may be spent"),
        ({}, {"headroom_usd": 1.0}, "1.00 a month may be spent"),
        ({}, {"headroom_usd": None}, "is unknown"),
        ({}, {"headroom_usd": float("inf")}, "is unknown"),
    ],
)
def test_what_cannot_be_paid_for_to_the_months_end_is_not_raised(
    changes: dict[str, Any], observed: dict[str, Any], words: str
) -> None:
    life = Life(policy=policy(**changes))
    life.slow(turns=100, **observed)
    assert life.asked == []
    assert words in life.reason


def test_of_a_step_only_what_can_be_paid_for_is_raised() -> None:
    hours = (month_ends_at(NOW) - NOW) / 3_600
    life = Life(policy=policy(cap_usd_per_month=2 * PRICE * hours))
    life.slow(turns=100)
    assert life.asked == [7]


def test_each_change_is_in_the_audit_with_its_reason() -> None:
    life = Life()
    life.slow()
    [change] = life.state.audit
    assert (change.at, change.before, change.after) == (life.now, 5, 8)
    assert change.why == "the alert on the API's p99 fires (0.90 s)"
    assert BoundsState.model_validate_json(life.state.model_dump_json()) == life.state


def test_a_clock_that_shows_no_time_changes_nothing_and_one_that_goes_back_stands_still() -> None:
    state = BoundsState(wanted=8, decided_at=NOW)
    assert decide_bounds(state, seen(NOW), policy(), float("nan")).state == state
    assert decide_bounds(state, seen(NOW), policy(), NOW - 500).state.decided_at == NOW


def test_a_months_bounds_are_its_own() -> None:
    assert month_began_at(NOW) <= NOW < month_ends_at(NOW)
    december = 1_797_000_000.0
    assert month_ends_at(december) == month_began_at(december + 31 * 86_400)


LIVES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 1.0, None, 0.5, float("nan")]),
        st.sampled_from([0.1, 0.1, 0.4, 0.9, None, -1.0]),
        st.one_of(st.none(), st.integers(0, 2_000)),
        st.sampled_from([15.0, 15.0, 15.0, 400.0, 86_400.0, -30.0]),
        st.sampled_from([True] + [False] * 30),
        st.sampled_from([10_000.0, 10_000.0, 50.0, None]),
    ),
    max_size=120,
)
BOUNDS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
    lambda two: {"least": two[0], "most": max(1, two[0] + two[1])}
)


def promises(made: BoundsPolicy, life: list[tuple[Any, ...]]) -> None:
    """Play a life and hold it to what must never be, whatever is seen."""
    state, now, changed_at, spent = BoundsState(), NOW, None, 0.0
    month = month_began_at(now)
    for firing, tail, warm, passed, killed, headroom in life:
        now = max(0.0, now + passed)
        extra = max(0, (state.wanted or made.least) - made.least)
        if month_began_at(now) != month:
            month, spent = month_began_at(now), 0.0
        since = max(state.decided_at, month)
        spent += extra * max(0.0, now - since) / 3_600 * PRICE if state.decided_at else 0.0
        observation = seen(now, firing=firing, tail_seconds=tail, warm=warm, killed=killed, headroom_usd=headroom)
        before = state.wanted
        decision = decide_bounds(state, observation, made, now)
        state = decision.state
        assert state.wanted is not None
        assert made.least <= state.wanted <= made.most
        if decision.action is not None:
            assert decision.action == SetWarm(count=state.wanted)
        if before is not None and state.wanted != before:
            assert killed or changed_at is None or state.decided_at - changed_at >= made.up_cooldown_seconds
            assert killed or (state.wanted > before) == (firing == 1.0)
            assert not killed or state.wanted == made.least
            changed_at = state.decided_at
        assert spent <= made.cap_usd_per_month + 1e-6
        assert state.ledger.month_usd <= made.cap_usd_per_month + 1e-6


@settings(max_examples=150, deadline=None)
@given(BOUNDS, LIVES, st.sampled_from([0.0, 30.0, 200.0, 10_000.0]))
def test_no_life_leaves_the_bounds_the_cooldown_or_the_cap(
    drawn: dict[str, int], life: list[tuple[Any, ...]], cap: float
) -> None:
    promises(policy(**drawn, cap_usd_per_month=cap), life)


def _unbounded(count: int, made: BoundsPolicy) -> int:
    return max(made.least, count)


def _unfloored(count: int, made: BoundsPolicy) -> int:
    return min(made.most, count)


def _free(*_: Any) -> tuple[int, str]:
    """Refuse nothing."""
    return 1_000, ""


def _any(verdicts: tuple[Verdict, ...], wanted: Verdict, window: Window) -> bool:
    return True


SLOW = (1.0, 0.9, 5, 15.0, False, 10_000.0)
CALM = (0.0, 0.1, 5, 15.0, False, 10_000.0)
LONG = (1.0, 0.9, 5, 400.0, False, 10_000.0)


@pytest.mark.parametrize(
    ("name", "mutant", "life", "made"),
    [
        ("_within", _unbounded, [LONG] * 30, policy()),
        ("_within", _unfloored, [LONG] * 6 + [(0.0, 0.1, 5, 700.0, False, 1e4)] * 30, policy(growth=4.0)),
        ("_affordable", _free, [LONG] * 10 + [(0.0, 0.4, 5, 86_400.0, False, 1e4)] * 5, policy(cap_usd_per_month=30)),
    ],
)
def test_a_mutant_that_breaks_a_promise_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, mutant: Callable[..., Any], life: list[Any], made: BoundsPolicy
) -> None:
    promises(made, life)
    monkeypatch.setattr(bounds, name, mutant)
    with pytest.raises(AssertionError):
        promises(made, life)


def test_a_daemon_without_a_cooldown_is_caught() -> None:
    life = [SLOW] * 30
    promises(policy(), life)
    hasty = policy(up_cooldown_seconds=0)
    with pytest.raises(AssertionError):
        _hold_to(policy(), hasty, life)


def _hold_to(asked: BoundsPolicy, used: BoundsPolicy, life: list[tuple[Any, ...]]) -> None:
    """Play a life with `used` and hold its changes to the cooldown of `asked`."""
    made = Life(policy=used)
    for firing, tail, *_ in life:
        made.turn(firing=firing, tail_seconds=tail)
    times = [one.at for one in made.state.audit]
    assert all(later - earlier >= asked.up_cooldown_seconds for earlier, later in pairwise(times))


def test_a_mutant_that_asks_for_no_agreement_of_samples_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "agreed", _any)
    with pytest.raises(AssertionError):
        test_one_sample_of_the_alert_raises_nothing()


def test_the_growth_is_as_told() -> None:
    life = Life(policy=policy(growth=2.0))
    life.slow()
    assert life.asked == [ceil(5 * 2.0)]


def test_bounds_that_cannot_be_are_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match="write at most 3"):
        policy(least=4, most=3)


def test_what_was_spent_counts_what_was_raised_and_begins_anew_with_a_month() -> None:
    state = BoundsState(wanted=8, decided_at=NOW, ledger=Ledger(month="2026-09", month_usd=1.0, day=int(NOW // 86_400)))
    later = decide_bounds(state, seen(NOW + 3_600, warm=8), policy(), NOW + 3_600).state
    assert later.ledger.month_usd == pytest.approx(1.0 + 3 * PRICE)
    end = month_ends_at(NOW)
    anew = decide_bounds(later, seen(end + 3_600, warm=8), policy(), end + 3_600).state
    assert anew.ledger.month_usd == pytest.approx(3 * PRICE)
