"""The API's bounds against a stand-in for Cloud Run: who writes what, and which of the two holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import requests

from autoscaler.bounds import BoundsPolicy
from autoscaler.cloud import CloudError
from autoscaler.cloud_run import CloudRunService
from autoscaler.policy import Window
from autoscaler.records import BoundsState, Worker
from autoscaler.settings import BoundsQueries
from autoscaler.spending import spent
from autoscaler.store import Store
from autoscaler.warm import Warm
from simulator.cloud_run import SCALING, CloudRun, serving
from tests.autoscaler.test_bounds import NOW, TURN, policy

NAME = "projects/p/locations/us-central1/services/dreamseed-api"
QUERIES = BoundsQueries(taken_at="taken_at", firing="firing", tail_seconds="tail_seconds", headroom_usd="headroom_usd")
SLOW = {"firing": "1", "tail_seconds": "0.9"}
CALM = {"firing": "0", "tail_seconds": "0.1"}


@dataclass
class World:
    """A daemon's store, a made-up Prometheus and the stand-in."""

    cloud: CloudRun
    service: CloudRunService
    store: Store
    now: float = NOW
    signals: dict[str, str] = field(default_factory=dict)
    made: BoundsPolicy = field(default_factory=lambda: policy(down_window=Window(agreeing=4, samples=5)))

    def _prometheus(self, request: httpx.Request) -> httpx.Response:
        values = {"taken_at": str(self.now), "headroom_usd": "10000", **self.signals}
        result = [{"metric": {}, "value": [self.now, values[request.url.params["query"]]]}]
        return httpx.Response(200, json={"data": {"result": result}})

    def turns(self, count: int, signals: dict[str, str], *, killed: bool = False, dry_run: bool = False) -> None:
        self.signals = signals
        warm = Warm(policy=self.made, queries=QUERIES, service=self.service)
        with httpx.Client(base_url="http://p", transport=httpx.MockTransport(self._prometheus)) as client:
            for _ in range(count):
                self.now += TURN
                warm.turn(self.store, client, self.now, killed=killed, dry_run=dry_run)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    cloud, store = CloudRun(), Store(tmp_path)
    cloud.declare(NAME, 5, 25)
    store.begin()
    store.lead()
    with serving(cloud) as address, requests.Session() as session:
        yield World(cloud, CloudRunService(NAME, api=address, session=session), store)
    store.close()


def test_a_slow_tail_keeps_more_warm_and_a_calm_one_goes_back_to_the_stages_own(world: World) -> None:
    world.turns(1, CALM)
    assert world.cloud.warm(NAME) == 5
    world.turns(40, SLOW)
    assert world.cloud.warm(NAME) == 12
    world.turns(200, CALM)
    assert world.cloud.warm(NAME) == 5
    audit = world.store.read().bounds.audit
    assert [(one.before, one.after) for one in audit] == [(5, 8), (8, 12), (12, 8), (8, 5)]


def test_it_writes_the_service_level_minimum_alone_and_deploys_no_revision(world: World) -> None:
    before = world.cloud.services[NAME]
    world.turns(40, SLOW)
    after = world.cloud.services[NAME]
    assert {mask for _, mask in world.cloud.patches[1:]} == {SCALING}
    assert (after["revision"], after["template"]) == (before["revision"], before["template"])


def test_an_up_never_takes_it_below_the_stages_own_and_the_next_turn_sets_it_again(world: World) -> None:
    world.turns(40, SLOW)
    world.cloud.declare(NAME, 5, 25)
    assert world.cloud.warm(NAME) == 5
    world.turns(1, SLOW)
    assert world.cloud.warm(NAME) == 12
    assert world.cloud.services[NAME]["revision"] == 1


def test_a_stage_that_lowers_its_bounds_holds_at_the_next_turn(world: World) -> None:
    world.turns(100, SLOW)
    assert world.cloud.warm(NAME) == 25
    world.cloud.declare(NAME, 2, 10)
    world.made = policy(least=2, most=10)
    world.turns(1, SLOW)
    assert world.cloud.warm(NAME) == 10


def test_a_cloud_that_refuses_is_asked_again_and_remembers_nothing_wrong(world: World) -> None:
    world.cloud.rate_limits = 1.0
    world.turns(3, SLOW)
    assert world.cloud.warm(NAME) == 5
    world.cloud.rate_limits = 0.0
    world.turns(1, SLOW)
    assert world.cloud.warm(NAME) == 8
    assert len(world.store.read().bounds.audit) == 1


def test_a_dry_run_and_the_kill_switch(world: World) -> None:
    world.turns(3, SLOW, dry_run=True)
    assert world.cloud.warm(NAME) == 5
    world.turns(1, SLOW)
    assert world.cloud.warm(NAME) == 8
    world.turns(1, SLOW, killed=True)
    assert world.cloud.warm(NAME) == 5


def test_a_service_that_is_not_there_is_told_and_nothing_is_written(world: World) -> None:
    lost = CloudRunService(f"{NAME}-2", api=world.service._url.split("/v2/")[0], session=requests.Session())
    with pytest.raises(CloudError, match="404"):
        lost.read()
    assert len(world.cloud.patches) == 1


def test_what_workers_may_still_cost_is_not_spent_twice(world: World) -> None:
    state = world.store.read()
    worker = Worker(name="w-1", zone="z", requested_at=NOW, asked_at=NOW, expires_at=NOW + 36_000, usd_per_hour=1_000.0)
    world.store.save(state.model_copy(update={"workers": (worker,)}))
    world.turns(40, SLOW)
    assert world.cloud.warm(NAME) == 5
    world.store.save(world.store.read().model_copy(update={"workers": ()}))
    world.turns(3, SLOW)
    assert world.cloud.warm(NAME) == 8


def test_a_month_of_which_nobody_knows_the_cost_counts_as_spent_here_too(world: World) -> None:
    cap = world.made.cap_usd_per_month
    state = world.store.read()
    lost = BoundsState(ledger=spent(cap, world.now))
    world.store.save(state.model_copy(update={"bounds": lost}))
    world.turns(100, SLOW)
    assert world.cloud.warm(NAME) == 5
