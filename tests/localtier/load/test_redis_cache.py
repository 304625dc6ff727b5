"""The cache's clients against nodes that announce addresses which nobody here can reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localtier.load.client import Acknowledged
from localtier.load.content import compare
from localtier.load.ledger import Outcome, acknowledged, read_events
from localtier.load.redis_cache import LANES, Cache, RedisReader, RedisWriter, found_keys, lane_of, stored_key
from localtier.load.targets import RedisTarget
from tests.localtier.load.fakes import RedisCluster, served

SERIES = "abcd"
PASSWORD = "secret"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisCluster]:
    monkeypatch.setattr("localtier.load.redis_cache.ANSWER_SECONDS", 30.0)
    made = RedisCluster(PASSWORD)
    with served(made.handle, count=3) as ports:
        made.ports = ports
        yield made


def cache(cluster: RedisCluster, password: str = PASSWORD) -> Cache:
    return Cache(RedisTarget(ports=tuple(cluster.ports)), password)


def written(cluster: RedisCluster, folder: Path, lane: int = 2, count: int = 20) -> list[str]:
    client = RedisWriter(folder, 1, SERIES, cache(cluster), Acknowledged(), lane)
    for _ in range(count):
        client.step()
    client.close()
    return acknowledged(folder / f"redis-{lane + 1}.jsonl")


def test_keys_reach_the_node_of_their_slot_through_loopback_and_are_acknowledged(
    cluster: RedisCluster, tmp_path: Path
) -> None:
    keys = written(cluster, tmp_path)
    assert len(keys) == 20
    assert set(cluster.stored) == {stored_key(SERIES, key) for key in keys}
    assert cluster.misplaced == 0
    assert {lane_of(SERIES, key) for key in keys} == {2}


def test_lanes_cover_every_slot() -> None:
    assert {lane_of(SERIES, str(number)) for number in range(1_000)} == set(range(LANES))


def test_a_refused_write_is_in_doubt_and_never_acknowledged(cluster: RedisCluster, tmp_path: Path) -> None:
    cluster.refuse_writes = True
    assert written(cluster, tmp_path, count=2) == []
    outcomes = [event.outcome for event in read_events(tmp_path / "redis-3.jsonl")]
    assert outcomes == [Outcome.START, Outcome.IN_DOUBT, Outcome.IN_DOUBT]


def test_a_wrong_password_is_an_error_not_a_crash(cluster: RedisCluster, tmp_path: Path) -> None:
    client = RedisWriter(tmp_path, 1, SERIES, cache(cluster, "wrong"), Acknowledged(), 0)
    client.step()
    assert [event.outcome for event in read_events(tmp_path / "redis-1.jsonl")][1:] == [Outcome.IN_DOUBT]


@pytest.mark.parametrize("fault", ["none", "dropped", "changed"])
def test_verification_and_reader_see_a_dropped_and_a_changed_key(
    cluster: RedisCluster, tmp_path: Path, fault: str
) -> None:
    keys = written(cluster, tmp_path)
    for key in keys:
        if fault == "dropped":
            del cluster.stored[stored_key(SERIES, key)]
        elif fault == "changed":
            cluster.stored[stored_key(SERIES, key)] += "x"
    verdict = compare(SERIES, keys, found_keys(cache(cluster), SERIES, keys))
    assert (verdict.missing, verdict.corrupted) == {"none": (0, 0), "dropped": (20, 0), "changed": (0, 20)}[fault]
    reader = RedisReader(tmp_path, 1, SERIES, cache(cluster), Acknowledged(tmp_path / "redis-3.jsonl"))
    reader.step()
    last = list(read_events(tmp_path / "redis-reader.jsonl"))[-1]
    assert last.outcome is (Outcome.OK if fault == "none" else Outcome.LOST)
