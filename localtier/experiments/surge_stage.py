"""The stage that a surge meets, as it runs in a tier: hosts for machines beside it, and what is looked at."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.errors import NotFound
from prometheus_client.parser import text_string_to_metric_families

from autoscaler.cloud import OWNER_LABEL
from autoscaler.records import State
from autoscaler.settings import Settings
from autoscaler.store import STATE
from dreamseed.catalog.images import reference_of
from dreamseed.planning.burst import BurstSecret, secret_prefix
from dreamseed.planning.hosts import servers
from dreamseed.planning.services.autoscaler import PYTHON, SETTINGS_FILE, STATE_FOLDER
from dreamseed.planning.stage_plan import StagePlan
from localtier.certificates import ensure_ca
from localtier.experiments.alert_faults import Bench
from localtier.experiments.surge import TOKENS, hurried, users_of, wait_until
from localtier.experiments.surge_episode import Asked, Sample
from localtier.images import ensure_binary, load_into
from localtier.images.engine import local_cache
from localtier.k6 import K6Failed, K6Result, Surge, run_surge
from localtier.load.ledger import Outcome, read_events
from localtier.load.run import LoadRun
from localtier.load.targets import LOOPBACK, targets_of
from localtier.network import ask_outside
from localtier.outside import WORKERS_EDGE_PORT, Outside
from localtier.places import lans
from localtier.services import Services
from localtier.services.services import COMPUTE_ADDRESS, COMPUTE_HOST, WORKERS_ADDRESS
from localtier.spot.events import MachineEvent, read_machine_events
from localtier.spot.life import ENGINE
from localtier.spot.settings import Place, SpotSettings, engine_arguments, spot_plan, write_spot_settings
from localtier.tier import STACK, Tier
from rehearsal.hosts import HostsError, HostSpec, World

FIRST_PLACE = 251
"""The first machine's address in the cloud's network, counted from its begin; production gives what is free."""
SPARE_PLACES = 1
"""Beside those that the cap allows, so that one too many would be seen."""
LEADS_SECONDS = 180.0
WORKERS = {"proxy": "engines", "server": "spot-workers"}


@dataclass
class RunningSurge:
    """k6 in a thread of its own."""

    thread: threading.Thread | None = None
    result: K6Result | None = None
    error: K6Failed | None = None

    @property
    def over(self) -> bool:
        """Tell whether all that was asked has ended."""
        return self.thread is not None and not self.thread.is_alive()


@dataclass
class RunningStage:
    """The stage that stands in `tier`, with users of `load` and machines on `world`'s further hosts."""

    bench: Bench
    load: LoadRun
    world: World
    machines: Mapping[str, docker.DockerClient]
    settings: Settings
    key: str
    surge: RunningSurge = field(default_factory=RunningSurge)

    def now(self) -> float:
        """Return the time (seconds since 1970)."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def rested(self) -> bool:
        """Tell whether the autoscaler's last change is long enough ago for the next one."""
        state = _state(self.bench)
        changes = [at for at in (state.changed_up_at, state.changed_down_at) if at is not None]
        return not changes or time.time() - max(changes) >= self.settings.policy.up_cooldown_seconds

    def sample(self) -> Sample:
        """Look at everything once."""
        plan = self.bench.plan
        address = servers(plan.hosts)[0].address
        engines = [f"http://{address}:{one.ports[0].published}/metrics" for one in self.bench.all("vllm")]
        routers = [f"http://{address}:{one.ports[0].published}/metrics" for one in self.bench.all("vllm-router")]

        def ask() -> list[str]:
            with httpx.Client(trust_env=False, timeout=30) as client:
                return [client.get(url).raise_for_status().text for url in (*engines, *routers)]

        texts = ask_outside(self.world, ask)
        loads, ways = texts[: len(engines)], texts[len(engines) :]
        state = _state(self.bench)
        return Sample(
            time=time.time(),
            usage=sum(total(text, "vllm:kv_cache_usage_perc") for text in loads) / len(loads),
            running=sum(total(text, "vllm:num_requests_running") for text in loads),
            waiting=sum(total(text, "vllm:num_requests_waiting") for text in loads),
            machines=frozenset(host for host, engine in self.machines.items() if _serves(engine)),
            remembered=frozenset(one.name for one in state.workers),
            answered=sum(
                round(total(text, "haproxy_server_http_responses_total", **WORKERS, code="2xx")) for text in ways
            ),
            weight=min(_weight(text) for text in ways),
            month_usd=state.ledger.month_usd,
        )

    @contextmanager
    def surging(self, seconds: float) -> Iterator[RunningSurge]:
        """Let k6 ask for so long, through the edge as the API does; at the end it has ended."""
        plan, surge = self.bench.plan, RunningSurge()
        self.surge = surge
        binary = ensure_binary("k6", self.bench.tier.console)
        url = f"http://{LOOPBACK}:{targets_of(plan).chat.port}"
        asked = Surge(users=users_of(self.settings.policy), tokens=TOKENS, seconds=seconds)

        def run() -> None:
            try:
                surge.result = run_surge(binary, url, self.key, plan, asked, within=self.world.outside)
            except K6Failed as error:
                surge.error = error

        surge.thread = threading.Thread(target=run, name="surge")
        surge.thread.start()
        try:
            yield surge
        finally:
            surge.thread.join()

    def take_back(self) -> None:
        """Let the cloud take the machine back that serves, by the call that Google has for trying it.

        Source: Compute Engine documentation, "Test preemption settings": a simulated maintenance event.
        """
        worker = next(one for one in _state(self.bench).workers if one.serving_since is not None)
        path = f"/compute/v1/projects/{self.settings.project}/zones/{worker.zone}/instances/{worker.name}"
        self._compute("POST", f"{path}/simulateMaintenanceEvent")

    def events(self, since: float) -> tuple[MachineEvent, ...]:
        """Return what happened to machines."""
        found = read_machine_events(machine_log(self.bench.tier))
        return tuple(one for one in found if one.time >= since)

    def decided(self) -> dict[str, float]:
        """Return when the autoscaler decided on each worker that it remembers."""
        return {one.name: one.requested_at for one in _state(self.bench).workers}

    def asked(self, since: float) -> Asked:
        """Return what users asked and did not get. Raises `K6Failed` when k6 did not run to its end."""
        if self.surge.result is None:
            raise self.surge.error or K6Failed("the surge has not ended")
        generation = self.surge.result.generation
        failed = max(self.surge.result.wrong_answers, round(generation.failure_ratio * generation.count))
        chats = [one for one in read_events(self.load.folder / "chat.jsonl") if one.time >= since]
        return Asked(
            generations=generation.count,
            generations_failed=failed,
            chats_answered=tuple(one.time for one in chats if one.outcome is Outcome.OK),
            chats_failed=tuple((one.time, one.error or "") for one in chats if one.outcome is Outcome.FAILED),
        )

    def left(self) -> tuple[str, ...]:
        """Return what is left of workers: on hosts, in the cloud's list, in the autoscaler's state."""
        containers = [
            f"container {one.name} on {host}"
            for host, engine in self.machines.items()
            for one in engine.containers.list(all=True)
        ]
        wanted = f"labels.{OWNER_LABEL}={self.settings.policy.owner}"
        path = f"/compute/v1/projects/{self.settings.project}/aggregated/instances?filter={wanted}"
        listed = self._compute("GET", path)
        instances = [
            f"instance {one['name']}" for scope in listed["items"].values() for one in scope.get("instances", ())
        ]
        return (*containers, *instances, *(f"worker {one.name}" for one in _state(self.bench).workers))

    def _compute(self, method: str, path: str) -> dict[str, Any]:
        ca = ensure_ca(local_cache() / "ca").certificate

        def ask() -> dict[str, Any]:
            context = ssl.create_default_context(cafile=str(ca))
            with httpx.Client(trust_env=False, timeout=30, verify=context) as client:
                answer = client.request(
                    method,
                    f"https://{COMPUTE_ADDRESS}{path}",
                    headers={"Host": COMPUTE_HOST},
                    extensions={"sni_hostname": COMPUTE_HOST},
                )
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

        return ask_outside(self.world, ask)


@contextmanager
def surge_stage(tier: Tier, plan: StagePlan, load: LoadRun, *, whole: bool) -> Iterator[RunningStage]:
    """Return the stage that stands, once its workers can come; `whole` leaves the autoscaler's times as planned.

    Raises `HostsError` where the autoscaler does not lead.
    """
    policy_workers = plan.config.vllm.burst.max_workers
    names = [f"spot-{number}" for number in range(1, policy_workers + SPARE_PLACES + 1)]
    world = with_places(tier.world(plan), plan, names)
    world.start()
    with tier.engines(plan) as engines, ExitStack() as stack:
        machines = {name: stack.enter_context(closing(world.client(name))) for name in names}
        bench = Bench(tier=tier, plan=plan, engines=engines)
        secrets = workers_secrets(tier, plan)
        tags: dict[str, str] = {}
        for engine in machines.values():
            images = load_into(engine, [reference_of("vllm"), reference_of("cloudflared")], tier.console)
            tags = {reference: image.tag for reference, image in images.items()}
        burst, log = spot_plan(plan), machine_log(tier)
        log.unlink(missing_ok=True)
        settings_file = tier.root / "spot.json"
        write_spot_settings(
            settings_file,
            SpotSettings(
                places=tuple(Place(host=name, socket=str(world.socket(name))) for name in names),
                engine_image=tags[reference_of("vllm")],
                connector_image=tags[reference_of("cloudflared")],
                arguments=engine_arguments(plan),
                card=burst.machine.gpu.name,
                cards=burst.machine.gpu_count,
                api_key=secrets[BurstSecret.VLLM_API_KEY],
                tunnel_token=secrets[BurstSecret.TUNNEL_TOKEN],
                edge=f"{WORKERS_ADDRESS}:{WORKERS_EDGE_PORT}",
                log=str(log),
            ),
        )
        outside = Outside(world=world, plan=plan, folder=tier.root)
        outside.admit_workers(secrets[BurstSecret.TUNNEL_TOKEN])
        Services(world=world, plan=plan).make_machines(settings_file)
        settings = _begun(bench, whole=whole)
        yield RunningStage(
            bench=bench,
            load=load,
            world=world,
            machines=machines,
            settings=settings,
            key=secrets[BurstSecret.VLLM_API_KEY],
        )


def with_places(world: World, plan: StagePlan, names: list[str]) -> World:
    """Return `world` with further hosts in the cloud's network."""
    _, cloud = lans(plan)
    network = plan.config.network.cloud_range
    hosts = [
        HostSpec(name=name, address=str(network[FIRST_PLACE + number]), network=cloud)
        for number, name in enumerate(names)
    ]
    return replace(world, hosts=(*world.hosts, *hosts))


def machine_log(tier: Tier) -> Path:
    """Return the file of what happens to machines."""
    return tier.root / "machines.jsonl"


def workers_secrets(tier: Tier, plan: StagePlan) -> dict[str, str]:
    """Return what Secret Manager holds for workers, from the engine's state: the fake cloud keeps only digests."""
    prefix = f"{secret_prefix(plan.config.service.name)}-"
    with tier.engine(plan, tier.world(plan)) as engine:
        state = engine.read_state(STACK, show_secrets=True)
    versions = {
        one["urn"].rpartition("::")[2]: one["inputs"]["secretData"]
        for one in state["deployment"]["resources"]
        if one["type"] == "gcp:secretmanager/secretVersion:SecretVersion"
    }
    return {
        name.removeprefix(prefix): json.loads(value["plaintext"]) if isinstance(value, dict) else value
        for name, value in versions.items()
        if name.startswith(prefix)
    }


def total(text: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples on a page that have these labels, 0 without any."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def _state(bench: Bench) -> State:
    """Return what the autoscaler keeps."""
    return State.model_validate_json(bench.read("autoscaler", f"{STATE_FOLDER}/{STATE}"))


def _weight(text: str) -> float:
    """Return the weight that a router gives the workers, 0 while it takes none for up."""
    up = total(text, "haproxy_server_status", **WORKERS, state="UP")
    return total(text, "haproxy_server_weight", **WORKERS) if up else 0.0


def _serves(engine: docker.DockerClient) -> bool:
    with suppress(NotFound):
        return bool(engine.containers.get(ENGINE).status == "running")
    return False


def _begun(bench: Bench, *, whole: bool) -> Settings:
    """Give the autoscaler its settings and an empty state, and wait until it leads with it."""
    settings = Settings.model_validate_json(bench.read("autoscaler", SETTINGS_FILE))
    container = bench.running("autoscaler")
    if not whole:
        settings = hurried(settings)
        bench.write("autoscaler", SETTINGS_FILE, settings.model_dump_json())
        container.restart()
    words = [PYTHON, "-m", "autoscaler", f"--settings={SETTINGS_FILE}", f"--state={STATE_FOLDER}", "--begin"]

    def begun() -> bool:
        return bool(container.exec_run(words).exit_code == 0)

    def leads() -> bool:
        state = _state(bench)
        return state.decided_at > 0 and state.ledger.month_usd == 0

    if not wait_until(begun, LEADS_SECONDS) or not wait_until(leads, LEADS_SECONDS):
        raise HostsError(
            f"the autoscaler does not lead with an empty state after {LEADS_SECONDS:.0f} s",
            "look at its container's log",
        )
    return settings
