"""The comparison finds every fault there can be, and only faults."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localtier.load.content import Verdict, compare, text_of

SERIES = "abcd"
KEYS = [str(number) for number in range(10)]
WHOLE = [(key, text_of(SERIES, key)) for key in KEYS]
SOUND = Verdict(acknowledged=10, missing=0, duplicated=0, corrupted=0, unacknowledged=0, examples=())


def test_everything_there_once_is_sound() -> None:
    verdict = compare(SERIES, KEYS, reversed(WHOLE))
    assert verdict == SOUND
    assert verdict.sound


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (WHOLE[:4] + WHOLE[5:], replace(SOUND, missing=1, examples=("4",))),
        ([*WHOLE, WHOLE[7]], replace(SOUND, duplicated=1, examples=("7",))),
        ([*WHOLE[:-1], ("9", text_of(SERIES, "8"))], replace(SOUND, corrupted=1, examples=("9",))),
        ([*WHOLE[:-1], ("9", text_of("other", "9"))], replace(SOUND, corrupted=1, examples=("9",))),
        ([], replace(SOUND, missing=10, examples=("0", "1", "2", "3", "4"))),
    ],
    ids=["a dropped row", "a duplicate", "another row's content", "another series' content", "nothing there"],
)
def test_a_fault_is_found_and_named(found: list[tuple[str, str]], expected: Verdict) -> None:
    verdict = compare(SERIES, KEYS, found)
    assert verdict == expected
    assert not verdict.sound


def test_what_was_written_without_an_acknowledgement_is_counted_and_no_fault() -> None:
    verdict = compare(SERIES, KEYS, [*WHOLE, ("99", text_of(SERIES, "99"))])
    assert verdict == replace(SOUND, unacknowledged=1)
    assert verdict.sound


def test_only_what_was_sent_again_may_be_there_twice_and_it_is_counted() -> None:
    verdict = compare(SERIES, KEYS, [*WHOLE, WHOLE[7]], sent_again={"7"})
    assert verdict == replace(SOUND, repeated=1)
    assert verdict.sound
    other = compare(SERIES, KEYS, [*WHOLE, WHOLE[7], WHOLE[8]], sent_again={"7"})
    assert other == replace(SOUND, duplicated=1, repeated=1, examples=("8",))
    assert not other.sound


def test_a_duplicate_of_what_was_in_doubt_is_a_fault_too() -> None:
    assert compare(SERIES, KEYS, [*WHOLE, *[("99", text_of(SERIES, "99"))] * 2]).duplicated == 1


@given(st.sets(st.integers(0, 50)), st.lists(st.integers(0, 60), max_size=80))
def test_counts_are_those_of_the_sets(acknowledged: set[int], found: list[int]) -> None:
    verdict = compare(SERIES, map(str, acknowledged), [(str(n), text_of(SERIES, str(n))) for n in found])
    assert verdict.missing == len(acknowledged - set(found))
    assert verdict.unacknowledged == len(set(found) - acknowledged)
    assert verdict.duplicated == sum(found.count(n) > 1 for n in set(found))
    assert verdict.corrupted == 0
