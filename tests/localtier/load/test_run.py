"""A load as a process: it starts, follows its targets, outlives a kill, stops, and its report comes back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localtier.load.client import Client
from localtier.load.ledger import Outcome, acknowledged, read_events
from localtier.load.report import report_from, report_of
from localtier.load.run import LoadError, LoadRun
from localtier.load.runner import Rates
from localtier.load.targets import ChatTarget, PostgresTarget, RedisTarget, Targets
from tests.localtier.load.fakes import Model, RedisCluster, served

SECRETS = {"redis": "secret", "vllm-api-key": "key"}
RATES = Rates(keys=200, key_reads=50, chats=50)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_load_follows_its_targets_survives_a_kill_and_is_verified(tmp_path: Path) -> None:
    cluster = RedisCluster("secret")
    load = LoadRun(folder=tmp_path / "load")
    with served(Model("ok").handle) as chat, served(cluster.handle, count=3) as ports:
        cluster.ports = ports
        targets = Targets(
            postgres=PostgresTarget(port=1, database="d", user="u"),
            chat=ChatTarget(port=chat[0], model="m", timeout_seconds=5),
        )
        first = load.start(targets, SECRETS, RATES)
        try:
            wait(lambda: bool(acknowledged(load.folder / "chat.jsonl")))
            assert not (load.folder / "redis-1.jsonl").exists()
            grown = replace(targets, redis=RedisTarget(ports=tuple(ports)))
            load.tell(grown, SECRETS)
            wait(lambda: bool(acknowledged(load.folder / "redis-6.jsonl")))
            assert load.start(grown, SECRETS) == first
            os.kill(first, signal.SIGKILL)
            os.waitpid(first, 0)
            assert load.pid() is None
            before = len(acknowledged(load.folder / "redis-1.jsonl"))
            load.start(grown, SECRETS, RATES)
            wait(lambda: len(acknowledged(load.folder / "redis-1.jsonl")) > before)
        finally:
            load.stop()
        assert load.pid() is None
        report = load.verify()
        assert report.sound
        keys = report.client("redis").verdict
        assert keys is not None
        assert keys.acknowledged == report.client("redis").figures.succeeded > 0
        lost = next(iter(cluster.stored))
        del cluster.stored[lost]
        worse = load.verify()
        assert not worse.sound
        verdict = worse.client("redis").verdict
        assert verdict is not None
        assert verdict.missing == 1
        assert lost.endswith(verdict.examples[0])
    gone = load.verify()
    assert not gone.sound
    assert gone.client("redis").unverified is not None


def test_clients_of_the_cache_that_run_learn_of_its_new_nodes(tmp_path: Path) -> None:
    # Seen at E: clients who knew one node alone, from B, found no other when that one's server was lost.
    load = LoadRun(folder=tmp_path / "load")
    model = ChatTarget(port=1, model="m", timeout_seconds=5)
    grown = RedisCluster("secret")
    with served(grown.handle, count=3) as ports:
        grown.ports = ports
        nobody = RedisTarget(ports=(1,))
        targets = Targets(postgres=PostgresTarget(port=1, database="d", user="u"), chat=model, redis=nobody)
        load.start(targets, {"redis": "secret"}, RATES)
        try:
            failed = load.folder / "redis-1.jsonl"
            wait(lambda: any(event.outcome is Outcome.IN_DOUBT for event in read_events(failed)))
            assert acknowledged(failed) == []
            load.tell(replace(targets, redis=RedisTarget(ports=tuple(ports))), {"redis": "secret"})
            wait(lambda: bool(acknowledged(failed)))
        finally:
            load.stop()


def test_a_load_that_cannot_start_says_where_its_words_are(tmp_path: Path) -> None:
    load = LoadRun(folder=tmp_path, prefix=("false",))
    targets = Targets(
        postgres=PostgresTarget(port=1, database="d", user="u"), chat=ChatTarget(port=1, model="m", timeout_seconds=5)
    )
    with pytest.raises(LoadError, match=r"load\.log"):
        load.start(targets, {})


def test_reports_come_back_from_json(tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text(
        '{"time":1,"outcome":"ok","key":"1","seconds":1}\n{"time":3,"outcome":"ok","key":"2","seconds":1}\n'
    )
    report = report_of(tmp_path)
    assert report.client("chat").figures.longest_gap is not None
    assert report_from(report.to_json()) == report
    with pytest.raises(KeyError):
        report.client("kafka")


def test_an_error_that_nobody_foresaw_is_recorded_and_the_client_goes_on(tmp_path: Path) -> None:
    class Odd(Client):
        name = "odd"
        steps = 0

        def step(self) -> None:
            self.steps += 1
            if self.steps < 3:
                raise ZeroDivisionError("odd")
            self.stopping.set()

    client = Odd(tmp_path, 1_000)
    client.start()
    assert client.stopping.wait(30)
    client.stop(30)
    failed = [event for event in read_events(tmp_path / "odd.jsonl") if event.outcome is Outcome.FAILED]
    assert [event.error for event in failed] == ["unexpected ZeroDivisionError: odd"] * 2
