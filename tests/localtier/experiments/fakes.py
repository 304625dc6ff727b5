"""What the experiments' tests share: claims and reports made up, and an engine's event log."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from dreamseed.planning.survivability import Claim, DataLoss, Loss
from localtier.experiments.survival import Outcome
from localtier.experiments.trials import Trial
from localtier.k6 import K6Result
from localtier.k6.run import Requests
from localtier.load.content import Verdict
from localtier.load.figures import figures_of
from localtier.load.ledger import Event
from localtier.load.ledger import Outcome as Happened
from localtier.load.report import ClientReport, LoadReport
from rehearsal.runner.engine import Run
from rehearsal.runner.events import EventLog

SOUND: Mapping[str, Any] = {
    "acknowledged": 9,
    "missing": 0,
    "duplicated": 0,
    "corrupted": 0,
    "unacknowledged": 0,
    "examples": (),
}
SEEN = Requests(count=9, failure_ratio=0, p50_ms=1, p95_ms=2, p99_ms=3)
PLAYED = K6Result(users=3, seconds=5, api=SEEN, generation=SEEN, wrong_answers=0, missed=())
URN = "urn:pulumi:local::dreamseed::dreamseed:index:Part$docker:index/container:Container::"


class Screen(Console):
    """A console that remembers what was printed."""

    def __init__(self, width: int = 40) -> None:
        self.written = io.StringIO()
        super().__init__(file=self.written, width=width)

    @property
    def said(self) -> str:
        return self.written.getvalue()


def claim(
    component: str = "redis",
    *,
    survives: bool = True,
    loss: Loss = Loss.CONTAINER,
    target: str = "redis-1",
    data_lost: DataLoss = DataLoss.NONE,
) -> Claim:
    return Claim(
        component=component, loss=loss, target=target, survives=survives, data_lost=data_lost, consequence="it is so"
    )


def trial(*claims: Claim) -> Trial:
    return Trial(loss=claims[0].loss, target=claims[0].target, claims=claims)


def tried(of: Claim, observed: bool | None, *, healed: bool = True, detail: str = "") -> Outcome:
    """What came of trying a claim."""
    return Outcome(
        trial=trial(of),
        claim=of,
        claimed=of.survives,
        observed=observed,
        interruption_seconds=1.25,
        recovery_seconds=7.0,
        healed=healed,
        detail=detail,
    )


def verdict(**changes: Any) -> Verdict:
    return Verdict(**{**SOUND, **changes})


def client(
    name: str,
    *happened: Happened,
    verdict: Verdict | None = None,
    unverified: str | None = None,
) -> ClientReport:
    """A client whose ledger says what happened, a second after the other."""
    events = [Event(time=float(second), outcome=one) for second, one in enumerate(happened)]
    return ClientReport(client=name, figures=figures_of(events), verdict=verdict, unverified=unverified)


def report(*clients: ClientReport) -> LoadReport:
    return LoadReport(clients=clients)


def run(changes: Mapping[str, str] | None = None, *errors: str, interrupted: bool = False) -> Run:
    """A run of the engine that did an operation to each resource, by its name."""
    log = EventLog()
    for name, operation in (changes or {}).items():
        state = {"urn": URN + name, "type": "docker:index/container:Container", "custom": True, "inputs": {}}
        side = "old" if operation == "delete" else "new"
        metadata = {"op": operation, "urn": URN + name, "diffs": None, "keys": None, side: state}
        log.feed([json.dumps({"resourcePreEvent": {"metadata": metadata}})])
    return Run(not errors, log, 1.0, errors, "", interrupted)


CLEAN = report(
    client("postgres", Happened.OK, verdict=verdict()),
    client("redis", Happened.OK, verdict=verdict()),
    client("chat", Happened.OK),
)
CACHE_LOST = tried(claim(data_lost=DataLoss.CACHE), True)
KEPT = tried(claim(), True)


def having(*others: ClientReport) -> LoadReport:
    names = {one.client for one in others}
    return report(*(one for one in CLEAN.clients if one.client not in names), *others)
