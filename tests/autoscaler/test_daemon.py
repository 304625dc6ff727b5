"""The daemon in front of a made-up Prometheus and the stand-in for Compute Engine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from autoscaler.agent import Agent
from autoscaler.cloud import CloudError
from autoscaler.daemon import Daemon
from autoscaler.metrics import Metrics
from autoscaler.prometheus import observe
from autoscaler.records import Inventory, Phase, State
from autoscaler.settings import Queries
from autoscaler.store import NotLeaderError, StateError, Store
from dreamseed.monitoring.contract import EXPORTERS, Job
from simulator.compute.direct import DirectCloud
from simulator.compute.model import Compute, Faults
from simulator.compute.server import serving
from tests.autoscaler.policies import NOW, policy
from tests.ports import free_port

QUERIES = Queries(headroom_usd="headroom")


@dataclass
class World:
    """Signals by name, what Alertmanager was told, and a clock that each look at Prometheus moves by 15 s."""

    folder: Path
    now: float = NOW
    signals: dict[str, str] = field(default_factory=dict)
    told: list[dict[str, object]] = field(default_factory=list)
    turns: int = 0
    last_turn: int = 1
    stopping: threading.Event = field(default_factory=threading.Event)
    compute: Compute = field(default_factory=lambda: Compute(Faults(provisioning_seconds=1, loading_seconds=1)))
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.registry)

    def prometheus(self, request: httpx.Request) -> httpx.Response:
        name = next(key for key, query in QUERIES if query == request.url.params["query"])
        if name == "taken_at":
            self.now += 15
            self.turns += 1
            if self.turns >= self.last_turn:
                self.stopping.set()
        text = self.signals.get(name, str(self.now) if name == "taken_at" else None)
        result = [] if text is None else [{"metric": {}, "value": [self.now, text]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": result}})

    def alertmanager(self, request: httpx.Request) -> httpx.Response:
        self.told += json.loads(request.content)
        return httpx.Response(200)

    def daemon(self, **changes: object) -> Daemon:
        return Daemon(
            policy=policy(**changes),
            queries=QUERIES,
            cloud=DirectCloud(self.compute, "dreamseed-burst"),
            store=Store(self.folder),
            prometheus=httpx.Client(transport=httpx.MockTransport(self.prometheus), base_url="http://p"),
            alertmanager=httpx.Client(transport=httpx.MockTransport(self.alertmanager), base_url="http://a"),
            metrics=self.metrics,
            kill_switch=self.folder / "stop",
            stopping=self.stopping,
            clock=lambda: self.now,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"edu_autoscaler_{name}", labels)


BUSY = {
    "kv_cache_usage": "0.95",
    "running": "40",
    "waiting": "30",
    "first_token_seconds": "2",
    "headroom_usd": "500",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    Store(tmp_path).begin()
    return World(tmp_path, signals=dict(BUSY))


def run(world: World, turns: int, **changes: object) -> None:
    """Let a daemon take so many turns; the wait between them is not waited for."""
    world.stopping.clear()
    world.turns, world.last_turn = 0, turns
    world.daemon(**changes).run(0.0)


def test_a_surge_in_prometheus_brings_a_worker_and_the_metrics_show_it(world: World) -> None:
    run(world, 6)
    state = Store(world.folder).peek()
    assert [one.phase for one in state.workers] == [Phase.SERVING]
    assert world.metric("workers", phase="serving") == 1
    assert world.metric("actions_total", kind="launch") == 1
    assert world.metric("verdicts_total", verdict="up") == 6
    assert world.metric("committed_usd") == pytest.approx(6 * 0.8)
    assert world.metric("last_success_timestamp_seconds") == world.now
    assert world.metric("cap_usd") == 40
    assert world.metric("paused") == 0
    assert world.metric("leader") == 1


@pytest.mark.parametrize("lost", sorted(BUSY))
def test_a_signal_that_prometheus_does_not_have_buys_nothing(world: World, lost: str) -> None:
    del world.signals[lost]
    run(world, 6)
    assert not world.compute.machines


def test_signals_that_cannot_be_used_leave_the_last_success_behind(world: World) -> None:
    run(world, 3)
    succeeded = world.metric("last_success_timestamp_seconds")
    world.signals["waiting"] = "NaN"
    run(world, 3)
    assert world.metric("last_success_timestamp_seconds") == succeeded
    assert world.metric("verdicts_total", verdict="unknown") == 3


@pytest.mark.parametrize("status", [500, 200])
def test_a_prometheus_that_answers_nonsense_is_an_observation_of_nothing(status: int) -> None:
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(status, text="<html>")), base_url="http://p"
    )
    found = observe(client, QUERIES)
    assert set(found.model_dump(exclude={"inventory", "killed"}).values()) == {None}


def test_a_restarted_daemon_goes_on_where_the_last_one_stopped(world: World) -> None:
    run(world, 2)
    assert not world.compute.machines
    run(world, 1)
    assert len(world.compute.machines) == 1, "the third sample of three, two of them before the restart"
    assert Store(world.folder).peek().epoch == 2


def test_a_dry_run_decides_and_changes_nothing(world: World) -> None:
    before = (world.folder / "state.json").read_text(encoding="utf-8")
    world.last_turn = 6
    world.daemon().run(0.0, dry_run=True)
    assert world.metric("actions_total", kind="launch") == 1
    assert not world.compute.machines
    assert not world.told
    assert (world.folder / "state.json").read_text(encoding="utf-8") == before


def test_the_kill_switch_is_a_file(world: World) -> None:
    run(world, 6)
    (world.folder / "stop").touch()
    run(world, 12)
    assert all(world.now >= one.ends_at for one in world.compute.machines)
    assert not Store(world.folder).peek().workers


def test_a_card_that_is_due_is_told_once_with_its_price_and_lead_time(world: World) -> None:
    run(world, 20, max_workers=0)
    (alert,) = world.told
    named = {"alertname": "GpuPurchaseDue", "severity": "warning", "component": "autoscaler", "owner": "finance"}
    assert alert["labels"] == named
    assert "rtx-5090 costs about 1,999 USD and takes about 14 days" in str(alert["annotations"])


def test_a_second_daemon_waits_and_does_nothing(world: World) -> None:
    first = Store(world.folder)
    first.lead()
    with pytest.raises(NotLeaderError):
        world.daemon().run(0.0, once=True)
    assert world.metric("leader") == 0
    assert not world.turns
    first.close()


def test_without_a_state_the_daemon_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="--begin"):
        World(tmp_path, signals=dict(BUSY)).daemon().run(0.0, once=True)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[list[str]]:
    """Return the daemon's command line, in front of the stand-in over HTTP and no Prometheus."""
    settings = {
        "policy": json.loads(policy().model_dump_json()),
        "queries": QUERIES.model_dump(),
        "project": "p",
        "template": "t",
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    with serving(Compute(Faults()), time.time) as host:
        yield [
            *(sys.executable, "-m", "autoscaler", f"--settings={tmp_path / 'settings.json'}", f"--state={tmp_path}"),
            *(f"--compute={host}", f"--prometheus=http://127.0.0.1:{free_port()}", "--listen=0"),
        ]


def test_the_program_begins_once_takes_a_turn_and_says_what_is_wrong(command: list[str], tmp_path: Path) -> None:
    def ended(*more: str) -> tuple[int, str]:
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stderr

    status, text = ended("--once")
    assert status == 2
    assert "--begin" in text
    assert ended("--begin")[0] == 0
    status, text = ended("--once")
    assert status == 0
    assert "a signal is missing" in text
    (tmp_path / "settings.json").write_text("{}", encoding="utf-8")
    status, text = ended("--once")
    assert status == 2
    assert "policy" in text


def test_a_signal_to_stop_ends_the_program_after_its_turn(command: list[str], tmp_path: Path) -> None:
    Store(tmp_path).begin()
    with subprocess.Popen([*command, "--interval=600"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert first
    state = Store(tmp_path).peek()
    assert (state.epoch, len(state.verdicts)) == (1, 1)


def test_without_a_state_the_program_may_take_the_month_for_spent(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*command, "--begin-spent", "--once"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    state = Store(tmp_path).peek()
    assert state.ledger.month_usd == policy().spending.cap_usd_per_month
    assert len(state.verdicts) == 1
    Store(tmp_path).begin()
    subprocess.run([*command, "--begin-spent", "--once"], capture_output=True, check=True, timeout=120)
    assert Store(tmp_path).peek().ledger.month_usd == 0, "a state that is there is kept"


def test_a_turn_without_the_clouds_list_is_no_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: DirectCloud, now: float) -> Inventory:
        raise CloudError("no")

    monkeypatch.setattr(DirectCloud, "inventory", refused)
    run(world, 3)
    assert world.metric("verdicts_total", verdict="up") == 3
    assert world.metric("last_success_timestamp_seconds") == 0


def test_a_pause_after_launches_that_failed_is_told_while_it_lasts(world: World) -> None:
    store = Store(world.folder)
    store.save(store.lead().model_copy(update={"broken_until": world.now + 25}))
    store.close()
    run(world, 1)
    assert world.metric("paused") == 1
    run(world, 1)
    assert world.metric("paused") == 0


def test_the_routers_are_told_what_serves_and_by_a_dry_run_nothing(world: World) -> None:
    told: list[int] = []

    class Told(Agent):
        def tell(self, state: State) -> None:
            told.append(sum(one.phase is Phase.SERVING for one in state.workers))

    daemon = world.daemon()
    daemon.agent = Told(0, 2)
    world.turns, world.last_turn = 0, 6
    daemon.run(0.0)
    assert (told[0], told[-1]) == (0, 1)
    told.clear()
    world.stopping.clear()
    daemon.run(0.0, dry_run=True, once=True)
    assert not told


def test_its_metrics_are_those_of_the_contract(world: World) -> None:
    run(world, 6)
    contract = next(one for one in EXPORTERS if one.job is Job.AUTOSCALER)
    found = {
        sample.name: (family.type, frozenset(sample.labels))
        for family in world.registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert found == {metric.name: (metric.kind.value, metric.labels) for metric in contract.metrics}
