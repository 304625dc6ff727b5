"""The load's report: what each client did, and how it compares with what is there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from dreamseed.planning.secrets import GeneratedSecret
from localtier.load.content import Verdict, compare
from localtier.load.figures import Figures, Gap, figures_of
from localtier.load.kafka_events import found_messages, sent_again
from localtier.load.ledger import Event, acknowledged, read_events, series_of
from localtier.load.postgres import Database, found_rows
from localtier.load.redis_cache import Cache, found_keys
from localtier.load.targets import Targets

CLIENTS = ("postgres", "postgres-reader", "redis", "redis-reader", "kafka", "chat")
"""The names in a report; the cache's writers, one a lane, are reported as one."""


@dataclass(frozen=True, kw_only=True)
class ClientReport:
    """One client: its figures; for writers that were verified, the verdict, or why there is none."""

    client: str
    figures: Figures
    verdict: Verdict | None = None
    unverified: str | None = None

    def faults(self, *, may_forget: bool = False) -> Iterator[str]:
        """Return what is wrong with what was acknowledged; of what `may_forget` some may be missing."""
        if self.unverified is not None:
            yield f"{self.client}: not verified: {self.unverified}"
        if self.figures.lost and not may_forget:
            yield f"{self.client}: {self.figures.lost} acknowledged ones were not there when read"
        if self.verdict is not None:
            verdict = replace(self.verdict, missing=0) if may_forget else self.verdict
            if not verdict.sound:
                yield f"{self.client}: {verdict.words}"


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """Every client that ever ran in a folder."""

    clients: tuple[ClientReport, ...]

    def client(self, name: str) -> ClientReport:
        """Return a client's part. Raises KeyError for one that never ran."""
        for one in self.clients:
            if one.client == name:
                return one
        raise KeyError(name)

    @property
    def sound(self) -> bool:
        """Tell whether every verdict was reached and found everything, and no reader missed anything."""
        return not any(fault for one in self.clients for fault in one.faults())

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps({"sound": self.sound, **asdict(self)}, indent=1)


def report_from(text: str) -> LoadReport:
    """Return the report that `to_json` wrote."""
    return LoadReport(clients=tuple(_client(content) for content in json.loads(text)["clients"]))


def report_of(folder: Path, since: float = -math.inf, until: float = math.inf) -> LoadReport:
    """Return the figures of every client between two times (seconds since 1970), unverified."""
    return LoadReport(
        clients=tuple(
            ClientReport(client=name, figures=figures_of(events, since, until))
            for name in CLIENTS
            if (events := _events(folder, name))
        )
    )


def verify(folder: Path, targets: Targets, secrets: Mapping[str, str]) -> LoadReport:
    """Return the figures and, for each writer, what became of everything it had acknowledged.

    A service that does not answer, or that `targets` lack, leaves its writer unverified with the reason.
    """
    series = series_of(folder)
    found = _readers(folder, targets, secrets, series)

    def verified(one: ClientReport) -> ClientReport:
        if one.client not in found:
            return one
        try:
            again = sent_again(_events(folder, one.client)) if one.client == "kafka" else ()
            verdict = compare(series, _acknowledged(folder, one.client), found[one.client](), again)
        except (OSError, psycopg.Error, LookupError) as error:
            return replace(one, unverified=f"{type(error).__name__}: {error}")
        return replace(one, verdict=verdict)

    return LoadReport(clients=tuple(verified(one) for one in report_of(folder).clients))


def _readers(
    folder: Path, targets: Targets, secrets: Mapping[str, str], series: str
) -> dict[str, Callable[[], Iterator[tuple[str, str]]]]:
    def postgres() -> Iterator[tuple[str, str]]:
        return found_rows(Database(targets.postgres, secrets[GeneratedSecret.POSTGRES_APPLICATION]), series)

    def redis() -> Iterator[tuple[str, str]]:
        if targets.redis is None:
            raise LookupError("the targets have no cache")
        return found_keys(Cache(targets.redis, secrets[GeneratedSecret.REDIS]), series, _acknowledged(folder, "redis"))

    def kafka() -> Iterator[tuple[str, str]]:
        if targets.kafka is None:
            raise LookupError("the targets have no event stream")
        return found_messages(targets.kafka, series)

    return {"postgres": postgres, "redis": redis, "kafka": kafka}


def _ledgers(folder: Path, client: str) -> list[Path]:
    return sorted(folder.glob("redis-[0-9]*.jsonl")) if client == "redis" else [folder / f"{client}.jsonl"]


def _events(folder: Path, client: str) -> list[Event]:
    return sorted((event for path in _ledgers(folder, client) for event in read_events(path)), key=lambda e: e.time)


def _acknowledged(folder: Path, client: str) -> list[str]:
    return [key for path in _ledgers(folder, client) for key in acknowledged(path)]


def _client(content: Mapping[str, Any]) -> ClientReport:
    figures, verdict = dict(content["figures"]), content["verdict"]
    gap = figures.pop("longest_gap")
    return ClientReport(
        client=content["client"],
        figures=Figures(longest_gap=Gap(**gap) if gap else None, **figures),
        verdict=Verdict(**{**verdict, "examples": tuple(verdict["examples"])}) if verdict else None,
        unverified=content["unverified"],
    )
