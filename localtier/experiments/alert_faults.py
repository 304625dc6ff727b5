"""Faults made on purpose, each with the alerts that must be told of it and no others."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import httpx
from confluent_kafka import Consumer, Producer, TopicPartition
from docker.models.containers import Container as Running

from autoscaler.daemon import PURCHASE_DUE
from dreamseed.monitoring.alerts_stores import CONSUMER_LAG_EVENTS
from dreamseed.monitoring.slo import BURN_WINDOWS
from dreamseed.planning.container import Container
from dreamseed.planning.hosts import servers
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.monitoring_cost import BILLS_FOLDER, NAME, RATES_FILE
from dreamseed.planning.stage_plan import StagePlan
from localtier.credentials import read_credentials, read_file
from localtier.experiments.beside import beside
from localtier.images.machine import command_path
from localtier.network import ask_outside
from localtier.services import Services
from localtier.tier import Tier
from rehearsal.hosts import HostsError, faults
from rehearsal.providers.docker.uploads import archive

ASKED_AT_ONCE = 285
"""More than an engine runs (256) and that may wait (20) before the alert; with the users' few chats fewer than it holds
at all before it refuses (`max_queued_requests`, 320)."""
TOKENS = 600
"""So few that what was asked is answered within a minute or two of the last question, and nobody hangs up."""
LATENCY_BURNS = frozenset(f"GenerationLatencyBurn{pair.long}" for pair in BURN_WINDOWS)
DISK_MIB = 64
FREE_MIB = 2
UNREAD_EVENTS = CONSUMER_LAG_EVENTS + 1_000
GROUP = "made-on-purpose"
KAFKA_SECONDS = 30.0
UNPRIVILEGED = Path("/var/tmp")  # noqa: S108 - a folder that every user may enter, as node_exporter's must


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A stage that stands in `tier`, and a client of each host's engine."""

    tier: Tier
    plan: StagePlan
    engines: Mapping[str, docker.DockerClient]

    def running(self, name: str) -> Running:
        """Return a container as its engine has it."""
        return self.engines[self.planned(name).host].containers.get(name)

    def planned(self, name: str) -> Container:
        """Return a container as it is planned."""
        return next(one for one in self.plan.containers if one.name == name)

    def all(self, service: str) -> list[Container]:
        """Return the planned containers of a service, in order."""
        return [one for one in self.plan.containers if one.service == service]

    def first(self, service: str) -> Container:
        """Return the first planned container of a service."""
        return self.all(service)[0]

    def read(self, name: str, path: str) -> str:
        """Return the text of a container's file."""
        return read_file(self.engines[self.planned(name).host], name, path) or ""

    def write(self, name: str, path: str, text: str) -> None:
        """Put a file into a running container, with the owner that the plan's own files there have."""
        self.running(name).put_archive("/", archive([{"file": path, "content": text}]))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong while the block of `made` runs, and is mended after it.

    `expected` must be told in Alertmanager within `effect_seconds` of what makes the expression true, plus the alert's
    own duration and the intervals of scraping and evaluating. It is tried where a stage has `least` containers of the
    service `needs`; one that is `short` in the short form too. `how` says what was really done. `consequences` may be
    told of the same cause, also after it is mended. One that is not `forgotten` goes on being told itself, for its
    expression looks back.
    """

    name: str
    expected: frozenset[str]
    effect_seconds: float
    how: str
    made: Callable[[Bench], AbstractContextManager[None]]
    consequences: frozenset[str] = frozenset()
    forgotten: bool = True
    needs: str = "vllm"
    least: int = 1
    short: bool = False


@contextmanager
def _saturated(bench: Bench) -> Iterator[None]:
    """Ask the first engine for more than it can run, until the block ends."""
    engine = bench.first("vllm")
    url = f"http://{servers(bench.plan.hosts)[0].address}:{engine.ports[0].published}"
    key = read_credentials(bench.plan, bench.engines, only=frozenset({GeneratedSecret.VLLM_API_KEY}))
    headers = {"Authorization": f"Bearer {key[GeneratedSecret.VLLM_API_KEY]}"}
    body = {
        "model": bench.plan.config.vllm.served_name,
        "messages": [{"role": "user", "content": "Explain photosynthesis."}],
        "max_tokens": TOKENS,
        "ignore_eos": True,
    }

    async def ask(client: httpx.AsyncClient, over: threading.Event) -> None:
        while not over.is_set():
            try:
                (await client.post("/v1/chat/completions", json=body)).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(1)

    async def flood(over: threading.Event) -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=url, headers=headers, timeout=600, limits=limits, trust_env=False
        ) as client:
            asked = [asyncio.create_task(ask(client, over)) for _ in range(ASKED_AT_ONCE)]
            await asyncio.gather(*asked)

    world = bench.tier.world(bench.plan)
    with beside(lambda over: ask_outside(world, lambda: asyncio.run(flood(over)))):
        yield


def _killed(
    what: str,
    alert: str,
    service: str,
    *,
    effect_seconds: float = 5,
    which: int = 0,
    least: int = 1,
    short: bool = False,
) -> Fault:
    """Return the fault of the container number `which` of a service, counted from the end where it is negative."""

    @contextmanager
    def made(bench: Bench) -> Iterator[None]:
        container = bench.all(service)[which]
        faults.kill_container(bench.tier.world(bench.plan), container.host, container.name, stay_down=True)
        try:
            yield
        finally:
            bench.running(container.name).start()

    return Fault(
        name=f"{what} killed and kept down",
        expected=frozenset({alert}),
        effect_seconds=effect_seconds,
        how="SIGKILL by the Docker Engine, which then leaves it down",
        made=made,
        needs=service,
        least=least,
        short=short,
    )


@contextmanager
def _nearly_full(bench: Bench) -> Iterator[None]:
    """Give the first host a small file system that is nearly full, and let its exporter look again."""
    exporter = bench.first("node-exporter")
    folder = Path(tempfile.mkdtemp(prefix="dreamseed-disk-", dir=UNPRIVILEGED))
    folder.chmod(0o755)
    device, disk = folder / "device", folder / "disk"
    disk.mkdir()
    with device.open("wb") as file:
        file.truncate(DISK_MIB * 2**20)
    subprocess.run([command_path("mkfs.ext4"), "-q", "-m", "0", str(device)], check=True, capture_output=True)
    subprocess.run([command_path("mount"), "-o", "loop", str(device), str(disk)], check=True, capture_output=True)
    try:
        free = shutil.disk_usage(disk).free
        with (disk / "filled").open("wb") as file:
            file.write(b"\0" * max(0, free - FREE_MIB * 2**20))
        # A container sees the mounts that were there when it started; full from the first look on, it grows no fuller.
        bench.running(exporter.name).restart()
        yield
    finally:
        bench.running(exporter.name).stop()
        subprocess.run([command_path("umount"), str(disk)], check=True, capture_output=True)
        shutil.rmtree(folder)
        bench.running(exporter.name).start()


@contextmanager
def _burnt(bench: Bench) -> Iterator[None]:
    """Import a bill that spends the budget; afterwards one that spends nothing takes its place."""
    import_bill(bench, bench.plan.config.budget.usd_per_month)
    try:
        yield
    finally:
        import_bill(bench, 0.0)


def import_bill(bench: Bench, usd: float) -> None:
    """Give the cost exporter a bill of this month until now: `usd` for the first service of its rates, 0 for others."""
    text = bill(json.loads(bench.read(NAME, RATES_FILE)), usd, datetime.now(UTC))
    bench.write(NAME, f"{BILLS_FOLDER}/made-on-purpose.json", text)


def bill(rates: Mapping[str, Any], usd: float, now: datetime) -> str:
    """Return a bill of the month of `now` for the cost exporter that reads `rates`."""
    spent = {name: usd if number == 0 else 0.0 for number, name in enumerate(rates["usd_per_hour"])}
    return json.dumps({"month": f"{now:%Y-%m}", "until": now.isoformat(), "usd": spent})


@contextmanager
def _archive_stopped(bench: Bench) -> Iterator[None]:
    """Take the object store down and let the primary finish segments, which then cannot be archived.

    Every instance is told to: a replica refuses.
    """
    store = Services(world=bench.tier.world(bench.plan), plan=bench.plan)
    instances = bench.all("postgres-1")

    def write(over: threading.Event) -> None:
        statement = "select pg_logical_emit_message(false, 'fault', 'x'); select pg_switch_wal()"
        while not over.wait(2):
            for one in instances:
                bench.running(one.name).exec_run(["psql", "-h", "/run/postgresql", "-U", "postgres", "-c", statement])

    store.stop_object_store()
    try:
        with beside(write):
            yield
    finally:
        store.start_object_store()


@contextmanager
def _fallen_behind(bench: Bench) -> Iterator[None]:
    """Append events of which a group of consumers has read none; afterwards it has read them all."""
    brokers = ",".join(f"{node.address}:{node.port}" for node in bench.plan.topology.kafka if node.broker)
    topic = bench.plan.config.kafka.topics[-1].name
    world = bench.tier.world(bench.plan)

    def fall() -> None:
        append(Producer({"bootstrap.servers": brokers}), topic)
        commit(reader(), topic, read=False)

    def reader() -> Consumer:
        return Consumer({"bootstrap.servers": brokers, "group.id": GROUP, "enable.auto.commit": False})

    ask_outside(world, fall)
    try:
        yield
    finally:
        ask_outside(world, lambda: commit(reader(), topic, read=True))


def append(producer: Producer, topic: str) -> None:
    """Append `UNREAD_EVENTS` to a topic. Raises `HostsError` when brokers do not take them all."""
    for _ in range(UNREAD_EVENTS):
        producer.produce(topic, value=b"made on purpose")
        producer.poll(0)
    left = producer.flush(KAFKA_SECONDS)
    if left:
        raise HostsError(f"{left} events for {topic} were not taken in {KAFKA_SECONDS:.0f} s", "look at the brokers")


def commit(consumer: Consumer, topic: str, *, read: bool) -> None:
    """Let the consumer's group have read all of a topic's events, or none."""
    try:
        places = []
        for number in consumer.list_topics(topic, timeout=KAFKA_SECONDS).topics[topic].partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=KAFKA_SECONDS)
            places.append(TopicPartition(topic, number, end if read else first))
        consumer.commit(offsets=places, asynchronous=False)
    finally:
        consumer.close()


FAULTS = (
    _killed("an engine", "LlmReplicaDown", "vllm", short=True),
    _killed("a cache node", "RedisDown", "redis"),
    _killed("a replica of the database", "PgDown", "postgres-1", which=-1, least=2),
    _killed("a broker", "KafkaBrokerMissing", "kafka", effect_seconds=20, least=3),
    _killed("a connector", "TunnelConnectorDown", "tunnel", least=2),
    _killed("a pooler", "PgBouncerDown", "pgbouncer", least=2),
    _killed("the autoscaler", "AutoscalerSilent", "autoscaler"),
    Fault(
        name="a consumer behind",
        expected=frozenset({"KafkaConsumerLag"}),
        effect_seconds=20,
        how=f"{UNREAD_EVENTS:,} events that its group has not read",
        made=_fallen_behind,
        needs="kafka",
    ),
    Fault(
        name="the budget burnt",
        expected=frozenset({"BudgetExceeded"}),
        effect_seconds=5,
        how="a bill of the whole budget, imported",
        made=_burnt,
        short=True,
    ),
    Fault(
        name="a disk nearly full",
        expected=frozenset({"DiskLow"}),
        effect_seconds=15,
        how=f"a real file system of {DISK_MIB} MiB with {FREE_MIB} left, read by node_exporter",
        made=_nearly_full,
        short=True,
    ),
    Fault(
        name="an engine saturated by load",
        expected=frozenset({"LLMQueueBacklog"}),
        effect_seconds=30,
        how=f"{ASKED_AT_ONCE} requests at once, each for {TOKENS} tokens",
        made=_saturated,
        short=True,
        # Who waits that long is a user whom the objective was missed for; minutes-old windows are all the same one.
        # The autoscaler asks for a card where its workers may not bridge the load.
        consequences=frozenset({"LlmQueueWaitLong", "LlmGenerationSlow", PURCHASE_DUE} | LATENCY_BURNS),
    ),
    Fault(
        name="the WAL archive stopped",
        expected=frozenset({"WalArchiveFailing"}),
        effect_seconds=180,
        how="the object store taken down while segments are finished",
        made=_archive_stopped,
        forgotten=False,
        short=True,
    ),
)
