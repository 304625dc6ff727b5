"""What the routers are answered, as HAProxy asks: a connection, one line, closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from autoscaler.agent import Agent
from autoscaler.records import Phase, State, Worker
from tests.autoscaler.policies import NOW


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent(0, max_workers=2)
    yield made
    made.close()


def asked(agent: Agent) -> str:
    with socket.create_connection(("127.0.0.1", agent.port), timeout=10) as connection:
        return connection.makefile().read()


def state(*phases: Phase) -> State:
    return State(
        workers=tuple(
            Worker(
                name=f"w-{number}",
                zone="z",
                requested_at=NOW,
                asked_at=NOW,
                expires_at=NOW + 1,
                usd_per_hour=1,
                phase=phase,
            )
            for number, phase in enumerate(phases)
        )
    )


@pytest.mark.parametrize(
    ("phases", "line"),
    [
        ((), "0%\n"),
        ((Phase.LOADING, Phase.REQUESTED), "0%\n"),
        ((Phase.SERVING, Phase.LOADING), "50%\n"),
        ((Phase.SERVING, Phase.SERVING), "100%\n"),
        ((Phase.SERVING, Phase.DRAINING), "50%\n"),
        ((Phase.PREEMPTED, Phase.DELETING), "0%\n"),
    ],
)
def test_the_weight_is_the_share_of_the_workers_that_serve(agent: Agent, phases: tuple[Phase, ...], line: str) -> None:
    agent.tell(state(*phases))
    assert asked(agent) == line


def test_each_turn_changes_the_answer(agent: Agent) -> None:
    agent.tell(state(Phase.SERVING))
    assert asked(agent) == "50%\n"
    agent.tell(state())
    assert asked(agent) == "0%\n"


def test_before_the_first_turn_nobody_listens_so_that_the_routers_keep_what_they_have(agent: Agent) -> None:
    assert agent.port == 0
