"""What an exchange of a key must not do, and what the clients are told of it, by reports made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dreamseed.config.keys import KeyName
from dreamseed.keys.bringing import Stack
from localtier.checks.doors import DOORS
from localtier.experiments.keys import OUTSIDE, Exchanged, WatchedStack, exchangeable, exchanges_table, problems
from localtier.load.ledger import Outcome
from tests.localtier.experiments.fakes import Screen, client, report, verdict
from tests.planning.stages import shipped

OK, FAILED = Outcome.OK, Outcome.FAILED
QUIET = (client("postgres", OK, verdict=verdict()), client("redis", OK, verdict=verdict()), client("chat", OK))
DONE = Exchanged(key="redis", seconds=60, whole_seconds=70, asked=3, users=report(*QUIET), faults=())


def found(key: KeyName, *clients: Any) -> list[str]:
    return list(problems(replace(DONE, key=key, users=report(*clients))))


def test_an_exchange_that_nobody_noticed_is_in_order() -> None:
    assert list(problems(DONE)) == []


@pytest.mark.parametrize(
    ("key", "service"),
    [
        (KeyName.REDIS, "redis"),
        (KeyName.POSTGRES_APPLICATION, "postgres"),
        (KeyName.PATRONI_API, "postgres"),
        (KeyName.VLLM_API_KEY, "chat"),
    ],
)
def test_only_users_of_its_own_service_may_notice_it(key: KeyName, service: str) -> None:
    for refused in ("postgres", "redis", "chat"):
        clients = [client(name, *([OK, FAILED] if name == refused else [OK])) for name in ("postgres", "redis", "chat")]
        told = found(key, *clients)
        if refused == service:
            assert told == []
        else:
            assert len(told) == 1
            assert told[0].startswith(f"{key}: {refused} failed 1 times")


def test_no_request_may_fail_for_the_tunnel_s_but_connections_end_with_a_connector() -> None:
    assert found(KeyName.TUNNEL, client("postgres", OK, FAILED), client("redis", OK, FAILED)) == []
    assert found(KeyName.TUNNEL, client("chat", OK, FAILED))


def test_an_exchange_under_which_nothing_succeeded_shows_nothing() -> None:
    assert found(KeyName.REDIS, client("redis", FAILED)) == [
        "redis: redis: nothing was acknowledged meanwhile, so nothing is shown"
    ]


def test_what_the_exchange_itself_found_is_told() -> None:
    fault = "the previous one still opens 1 of 3 doors"
    assert list(problems(replace(DONE, faults=(fault,)))) == [f"redis: {fault}"]


def test_every_key_that_containers_hold_is_exchanged_or_left_out_by_name() -> None:
    plan = shipped("stage-e")
    held = {name for container in plan.containers for name in container.secrets}
    chosen = set(exchangeable(plan))
    assert set(DOORS) <= chosen
    assert chosen - set(DOORS) == {KeyName.TUNNEL, KeyName.WIREGUARD}
    assert {KeyName(name) for name in held & set(KeyName)} - chosen <= OUTSIDE | {KeyName.GRAFANA_CLOUD_TOKEN}


def test_the_clients_learn_after_the_stack_was_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr(Stack, "bring", lambda self, what, key: happened.append(f"{self.name}: {what}"))
    stack: Any = WatchedStack(
        engine=None,  # type: ignore[arg-type]
        name="local",
        config_file=None,  # type: ignore[arg-type]
        classify=None,  # type: ignore[arg-type]
        say=happened.append,
        learn=lambda: happened.append("learnt"),
    )
    stack.bring("the next one comes", None)
    assert happened == ["local: the next one comes", "learnt"]


def test_the_table_tells_who_was_refused_and_how_long() -> None:
    screen = Screen(200)
    screen.print(exchanges_table([replace(DONE, users=report(*QUIET[:2], client("chat", OK, FAILED, OK)))]))
    assert "redis" in screen.said
    assert "1 of 3" in screen.said
