"""A load whose secrets are exchanged: what runs goes on with the new ones."""

from __future__ import annotations

from pathlib import Path

from localtier.load.ledger import acknowledged
from localtier.load.runner import Rates, Runner
from localtier.load.targets import ChatTarget, PostgresTarget, RedisTarget, Targets
from tests.localtier.load.fakes import Model, RedisCluster, served
from tests.localtier.load.test_run import wait

RATES = Rates(rows=1, row_reads=1, keys=120, key_reads=1, chats=50)


def test_clients_that_run_go_on_with_the_secrets_that_they_are_told(tmp_path: Path) -> None:
    cluster, model = RedisCluster("first"), Model("ok")
    tmp_path.joinpath("load").mkdir()
    runner = Runner(tmp_path / "load", RATES)
    with served(model.handle) as chat, served(cluster.handle, count=3) as ports:
        cluster.ports = ports
        targets = Targets(
            postgres=PostgresTarget(port=1, database="d", user="u"),
            chat=ChatTarget(port=chat[0], model="m", timeout_seconds=5),
            redis=RedisTarget(ports=tuple(ports)),
        )
        keys = tmp_path / "load" / "redis-1.jsonl"
        runner.follow(targets, {"redis": "first", "vllm-api-key": "first", "postgres-application": "first"})
        try:
            wait(lambda: bool(acknowledged(keys)) and "Bearer first" in model.authorizations)
            cluster.password = "second"
            for cache in runner._caches:
                cache.drop()
            runner.follow(targets, {"redis": "second", "vllm-api-key": "second"})
            before = len(acknowledged(keys))
            wait(lambda: len(acknowledged(keys)) > before and model.authorizations[-1] == "Bearer second")
            passwords = {database.password for database in runner._databases}
            runner.follow(targets, {"postgres-application": "second"})
            assert passwords == {"first"}
            assert {database.password for database in runner._databases} == {"second"}
            assert model.authorizations[-1] == "Bearer second"
        finally:
            runner.stop()
