"""The process that runs the clients: it starts those whose service the targets name, and stops them at SIGTERM."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dreamseed.planning.secrets import GeneratedSecret
from localtier.load.chat import ChatClient
from localtier.load.client import Acknowledged, Client
from localtier.load.kafka_events import KafkaWriter
from localtier.load.ledger import series_of
from localtier.load.postgres import Database, PostgresReader, PostgresWriter
from localtier.load.redis_cache import LANES, Cache, RedisReader, RedisWriter
from localtier.load.targets import (
    ACCESS_CLIENT_ID,
    ACCESS_CLIENT_SECRET,
    Targets,
    read_targets,
    write_private,
)

LOG = logging.getLogger("load")
TARGETS_FILE = "targets.json"
SECRETS_FILE = "secrets.json"
PID_FILE = "pid"
REREAD_SECONDS = 0.5
STOP_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often each client does its thing, per second: small, so that two cores hold a whole stage beside it."""

    rows: float = 20
    row_reads: float = 5
    keys: float = 100
    key_reads: float = 20
    messages: float = 50
    chats: float = 4


class Runner:
    """The clients of a folder. `follow` starts those that are new in the targets; a service never goes away."""

    def __init__(self, folder: Path, rates: Rates) -> None:
        self._folder = folder
        self._rates = rates
        self._series = series_of(folder)
        self._caches: list[Cache] = []
        self._databases: list[Database] = []
        self._chats: list[ChatClient] = []
        self.clients: dict[str, list[Client]] = {}

    def follow(self, targets: Targets, secrets: Mapping[str, str]) -> None:
        """Start the clients of the services that have none yet and whose secrets are known.

        Those that run learn of exchanged secrets, and those of the cache of new nodes: the first ones may be lost.
        Kafka's find brokers by themselves.
        """
        for cache in self._caches:
            cache.target = targets.redis or cache.target
            cache.password = secrets.get(GeneratedSecret.REDIS, cache.password)
        for database in self._databases:
            database.password = secrets.get(GeneratedSecret.POSTGRES_APPLICATION, database.password)
        for chat in self._chats if GeneratedSecret.VLLM_API_KEY in secrets else ():
            chat.headers |= headers_of(secrets)
        wanted = {
            "postgres": GeneratedSecret.POSTGRES_APPLICATION in secrets,
            "redis": targets.redis is not None and GeneratedSecret.REDIS in secrets,
            "kafka": targets.kafka is not None,
            "chat": GeneratedSecret.VLLM_API_KEY in secrets,
        }
        for service, there in wanted.items():
            if there and service not in self.clients:
                self.clients[service] = self._made(service, targets, secrets)
                for client in self.clients[service]:
                    client.start()

    def stop(self) -> None:
        """Stop every client."""
        every = [client for clients in self.clients.values() for client in clients]
        for client in every:
            client.stopping.set()
        for client in every:
            client.stop(STOP_SECONDS)

    def _made(self, service: str, targets: Targets, secrets: Mapping[str, str]) -> list[Client]:
        folder, rates, series = self._folder, self._rates, self._series
        if service == "postgres":
            password = secrets[GeneratedSecret.POSTGRES_APPLICATION]
            rows = Acknowledged(folder / "postgres.jsonl")
            self._databases = [Database(targets.postgres, password) for _ in range(2)]
            return [
                PostgresWriter(folder, rates.rows, series, self._databases[0], rows),
                PostgresReader(folder, rates.row_reads, series, self._databases[1], rows),
            ]
        if service == "redis" and targets.redis is not None:
            redis, password = targets.redis, secrets[GeneratedSecret.REDIS]
            keys = Acknowledged(*(folder / f"redis-{lane + 1}.jsonl" for lane in range(LANES)))
            *of_writers, of_reader = self._caches = [Cache(redis, password) for _ in range(LANES + 1)]
            writers = [
                RedisWriter(folder, rates.keys / LANES, series, cache, keys, lane)
                for lane, cache in enumerate(of_writers)
            ]
            return [*writers, RedisReader(folder, rates.key_reads, series, of_reader, keys)]
        if service == "kafka" and targets.kafka is not None:
            return [KafkaWriter(folder, rates.messages, series, targets.kafka)]
        self._chats = [ChatClient(folder, rates.chats, targets.chat, headers_of(secrets))]
        return list(self._chats)


def headers_of(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what a chat proves itself with."""
    headers = {"Authorization": f"Bearer {secrets[GeneratedSecret.VLLM_API_KEY]}"}
    if ACCESS_CLIENT_ID in secrets:
        headers |= {
            "CF-Access-Client-Id": secrets[ACCESS_CLIENT_ID],
            "CF-Access-Client-Secret": secrets[ACCESS_CLIENT_SECRET],
        }
    return headers


def read_secrets(folder: Path) -> dict[str, str]:
    """Return the folder's secrets by name."""
    return {str(k): str(v) for k, v in json.loads((folder / SECRETS_FILE).read_text(encoding="utf-8")).items()}


def serve(folder: Path, rates: Rates) -> None:
    """Run the folder's load until SIGTERM, following its targets and secrets."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    write_private(folder / PID_FILE, {"pid": os.getpid(), "rates": asdict(rates)})
    runner = Runner(folder, rates)
    seen: tuple[int, ...] = ()
    while not stopping.is_set():
        try:
            marks = tuple((folder / name).stat().st_mtime_ns for name in (TARGETS_FILE, SECRETS_FILE))
            if marks != seen:
                runner.follow(read_targets(folder / TARGETS_FILE), read_secrets(folder))
                seen = marks
        except (OSError, ValueError, KeyError, TypeError):
            LOG.exception("the targets of %s cannot be read", folder)
        stopping.wait(REREAD_SECONDS)
    runner.stop()
    (folder / PID_FILE).unlink(missing_ok=True)
