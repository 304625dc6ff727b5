"""What a load did not find again, and which claims excuse it."""

from __future__ import annotations

import pytest

from dreamseed.planning.survivability import DataLoss, Loss
from localtier.experiments.ascent import lost
from localtier.load.ledger import Outcome as Happened
from tests.localtier.experiments.fakes import CACHE_LOST, CLEAN, KEPT, claim, client, having, tried, verdict

OK, LOST = Happened.OK, Happened.LOST


def test_nothing_is_lost_of_a_load_that_found_everything() -> None:
    assert list(lost(CLEAN, [KEPT])) == []


def test_keys_of_the_cache_may_be_missing_only_where_a_claim_says_so() -> None:
    missing = having(client("redis", OK, verdict=verdict(missing=2, examples=("1", "2"))))
    assert list(lost(missing, [CACHE_LOST])) == []
    assert list(lost(missing, [KEPT])) == ["redis: of 9 acknowledged, 2 missing, 0 twice, 0 changed: 1, 2"]
    other = tried(claim("redis", data_lost=DataLoss.UNREPLICATED), True)
    assert len(list(lost(missing, [other]))) == 1
    assert len(list(lost(missing, []))) == 1


@pytest.mark.parametrize("writer", ["postgres", "kafka"])
def test_a_claim_about_the_cache_excuses_no_other_writer(writer: str) -> None:
    weights = tried(claim("vllm", loss=Loss.DISK, data_lost=DataLoss.CACHE), True)
    missing = having(client(writer, OK, verdict=verdict(missing=1)))
    assert len(list(lost(missing, [CACHE_LOST, weights]))) == 1


@pytest.mark.parametrize("fault", ["duplicated", "corrupted"])
@pytest.mark.parametrize("writer", ["postgres", "redis", "kafka"])
def test_what_is_there_twice_or_changed_is_excused_by_no_claim(writer: str, fault: str) -> None:
    wrong = having(client(writer, OK, verdict=verdict(**{fault: 1})))
    assert len(list(lost(wrong, [CACHE_LOST]))) == 1


def test_a_writer_that_could_not_be_verified_after_the_losses_is_a_finding() -> None:
    assert list(lost(having(client("redis", OK, unverified="OSError: refused")), [CACHE_LOST])) == [
        "redis: not verified: OSError: refused"
    ]


def test_what_a_reader_missed_is_a_finding_unless_it_read_the_cache_that_may_forget() -> None:
    assert list(lost(having(client("postgres-reader", OK, LOST)), [CACHE_LOST])) == [
        "postgres-reader: 1 acknowledged ones were not there when read"
    ]
    reader = having(client("redis-reader", OK, LOST))
    assert list(lost(reader, [CACHE_LOST])) == []
    assert len(list(lost(reader, [KEPT]))) == 1
