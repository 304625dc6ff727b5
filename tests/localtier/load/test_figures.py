"""Gaps, counts and latencies of a ledger."""

from __future__ import annotations

from localtier.load.figures import Gap, figures_of, longest_gap
from localtier.load.ledger import Event, Outcome


def ok(time: float, lane: str = "") -> Event:
    return Event(time=time, outcome=Outcome.OK, lane=lane, seconds=time / 100)


def event(time: float, outcome: Outcome, error: str | None = None) -> Event:
    return Event(time=time, outcome=outcome, error=error)


def gap(seconds: float, since: int, lane: str = "") -> Gap:
    return Gap(seconds=seconds, since=f"1970-01-01T00:00:{since:02}.000+00:00", lane=lane)


def test_the_longest_gap_is_between_two_successes_and_has_its_begin() -> None:
    assert longest_gap([ok(1), ok(2), event(3, Outcome.IN_DOUBT, "x"), ok(9), ok(10)]) == gap(7, 2)


def test_a_gap_that_has_not_ended_counts_to_the_last_event() -> None:
    assert longest_gap([ok(1), ok(2), event(8, Outcome.FAILED, "x")]) == gap(6, 2)


def test_there_is_no_gap_before_the_first_success() -> None:
    assert longest_gap([event(0, Outcome.START), event(5, Outcome.FAILED, "x"), ok(9)]) is None


def test_each_lane_has_its_own_gap_though_others_go_on() -> None:
    assert longest_gap([ok(1, "a"), ok(1, "b"), ok(2, "b"), ok(3, "b"), ok(4, "b"), ok(4, "a")]) == gap(3, 1, "a")


def test_a_load_that_was_stopped_or_killed_and_started_again_has_no_gap_between() -> None:
    stopped = [ok(1), ok(2), event(3, Outcome.STOP), event(30, Outcome.START), ok(31)]
    assert longest_gap(stopped) == gap(1, 1)
    killed = [ok(1), ok(2), event(30, Outcome.START), ok(31)]
    assert longest_gap(killed) == gap(1, 1)


def test_a_gap_is_cut_to_the_span_that_is_asked_for() -> None:
    events = [ok(1), ok(9), ok(10), ok(20)]
    assert longest_gap(events, 7, 15) == gap(5, 10)
    assert longest_gap(events, 4, 10) == gap(5, 1)


def test_figures_count_each_outcome_each_error_and_each_retry() -> None:
    events = [
        *(ok(time) for time in range(1, 101)),
        event(101, Outcome.FAILED, "refused"),
        event(102, Outcome.FAILED, "refused"),
        event(103, Outcome.IN_DOUBT, "reset"),
        event(104, Outcome.LOST, "lost"),
        Event(time=105, outcome=Outcome.OK, seconds=9, first_seconds=0.5, retries=1),
    ]
    figures = figures_of(events)
    assert (figures.attempts, figures.succeeded, figures.failed, figures.in_doubt, figures.lost) == (105, 101, 2, 1, 1)
    assert figures.errors == {"refused": 2, "reset": 1, "lost": 1}
    assert figures.retries == 1
    assert (figures.p50_seconds, figures.p99_seconds) == (0.51, 1.0)
    assert (figures.first_p50_seconds, figures.first_p99_seconds) == (0.5, 0.5)
    assert figures_of(events, 101, 103).attempts == 3


def test_figures_of_nothing_are_empty() -> None:
    figures = figures_of([])
    assert figures.attempts == 0
    assert figures.longest_gap is None
    assert figures.p99_seconds is None
