"""Faults between the servicer and the cloud: what an operation meets when a cloud, a process or the network fails.

A plan names operations and what each meets, once. Everything that reaches the cloud is written to a journal first, so
that a provider process which was killed goes on where it was, and the one who drives it knows what happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from rehearsal.providers.seams import Cloud, Found, HalfMadeError, RefusedError, Subject
from rehearsal.providers.values import Values

PLAN, JOURNAL, RUN, ENGINE = "faults.json", "faults.log", "run", "engine.pid"
LATE_SECONDS = 0.1
REFUSED_IN_A_ROW = 3
HIDDEN_READS = 2

Result = TypeVar("Result")


class Operation(StrEnum):
    """What the engine asks a cloud to do."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"


class FaultKind(StrEnum):
    """What an operation meets."""

    ERROR_BEFORE = "error before"
    ERROR_AFTER = "error after"
    TIMEOUT = "timeout"
    HALF_MADE = "half made"
    RATE_LIMIT = "rate limit"
    QUOTA = "quota"
    STOCK_OUT = "stock-out"
    LATE_LISTING = "late listing"
    REPORTED_GONE = "reported gone"
    PROVIDER_DIES_BEFORE = "provider dies before"
    PROVIDER_DIES_AFTER = "provider dies after"
    ENGINE_DIES_BEFORE = "engine dies before"
    ENGINE_DIES_AFTER = "engine dies after"


PROVIDER_DIES = frozenset({FaultKind.PROVIDER_DIES_BEFORE, FaultKind.PROVIDER_DIES_AFTER})
ENGINE_DIES = frozenset({FaultKind.ENGINE_DIES_BEFORE, FaultKind.ENGINE_DIES_AFTER})
DEADLY = PROVIDER_DIES | ENGINE_DIES
"""Kinds that end the run: only one of them can happen in it."""
REFUSALS = {
    FaultKind.ERROR_BEFORE: "503: the service is unavailable",
    FaultKind.ERROR_AFTER: "503: the answer was lost",
    FaultKind.LATE_LISTING: "503: the answer was lost",
    FaultKind.TIMEOUT: "context deadline exceeded",
    FaultKind.HALF_MADE: "503: it was made, what comes after that failed",
    FaultKind.RATE_LIMIT: "429: too many requests, try again later",
    FaultKind.QUOTA: "403: the quota is used up (quotaExceeded)",
    FaultKind.STOCK_OUT: "the zone has not enough resources (ZONE_RESOURCE_POOL_EXHAUSTED)",
}
MADE_UP = "made-up fault, "
"""Begins every refusal of this module, so that no other error can be taken for one."""


class ReportedGoneError(Exception):
    """The answer to a read is that the object is gone, though it is there."""


@dataclass(frozen=True)
class Fault:
    """One operation on one resource, and what it meets the next time."""

    operation: Operation
    urn: str
    kind: FaultKind


@dataclass(frozen=True)
class Entry:
    """One line of the journal: an operation that came; `kind` is what it met, `settled` that a late one was done."""

    operation: Operation
    urn: str
    token: str
    kind: FaultKind | None = None
    settled: bool = False


def write_plan(directory: Path, faults: Iterable[Fault]) -> None:
    """Write the plan of a state directory; a journal begins with it."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / PLAN).write_text(json.dumps([asdict(fault) for fault in faults]), encoding="utf-8")
    (directory / JOURNAL).write_text("", encoding="utf-8")


def journal(directory: Path) -> list[Entry]:
    """Return what came so far."""
    lines = (directory / JOURNAL).read_text(encoding="utf-8").splitlines()
    return [
        Entry(Operation(o["operation"]), o["urn"], o["token"], o["kind"] and FaultKind(o["kind"]), o["settled"])
        for o in map(json.loads, lines)
    ]


def not_met(planned: Iterable[Fault], entries: Iterable[Entry]) -> tuple[Fault, ...]:
    """Return the faults of a plan that no entry of its journal met yet."""
    met = {(entry.operation, entry.urn, entry.kind) for entry in entries}
    return tuple(fault for fault in planned if (fault.operation, fault.urn, fault.kind) not in met)


class Faults:
    """The plan of one state directory, carried out."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        planned = [
            Fault(Operation(one["operation"]), one["urn"], FaultKind(one["kind"]))
            for one in json.loads((directory / PLAN).read_text(encoding="utf-8"))
        ]
        self._waiting = {(f.operation, f.urn): f.kind for f in not_met(planned, journal(directory))}
        self._lock = threading.Lock()
        self._late: list[threading.Thread] = []
        self._refusing: dict[tuple[FaultKind, str], int] = {}
        self._hidden: dict[tuple[str, str], int] = {}
        self._run = ""

    def close(self) -> None:
        """Wait for what a timeout left to be done."""
        for thread in self._late:
            thread.join()

    def around(self, operation: Operation, subject: Subject, do: Callable[[], Result]) -> Result:
        """Do an operation, or what its fault makes of it.

        Raises `RefusedError` where the cloud would, `ReportedGoneError` where a read is to be told so.
        """
        kind = self._met(operation, subject)
        if kind is None:
            return do()
        if kind is FaultKind.REPORTED_GONE:
            raise ReportedGoneError
        if kind in DEADLY:
            self._die(kind, do)
        elif kind is FaultKind.TIMEOUT:
            self._do_late(operation, subject, do)
        elif kind in {FaultKind.ERROR_AFTER, FaultKind.LATE_LISTING, FaultKind.HALF_MADE}:
            made = do()
            if isinstance(made, Found) and kind is FaultKind.HALF_MADE:
                raise HalfMadeError(MADE_UP + REFUSALS[kind], made)
            if isinstance(made, Found) and kind is FaultKind.LATE_LISTING:
                self._hidden[subject.token, made.id] = HIDDEN_READS
        raise RefusedError(MADE_UP + REFUSALS.get(kind, "the process is gone"), RefusedError.Kind.UNAVAILABLE)

    def hides(self, subject: Subject, resource_id: str) -> bool:
        """Whether a listing does not show the object yet; each call counts as one."""
        with self._lock:
            left = self._hidden.get((subject.token, resource_id), 0)
            self._hidden[subject.token, resource_id] = max(left - 1, 0)
        return left > 0

    def _met(self, operation: Operation, subject: Subject) -> FaultKind | None:
        with self._lock:
            self._notice_run()
            kind = self._waiting.pop((operation, subject.urn), None)
            package = subject.token.partition(":")[0]
            if kind is FaultKind.RATE_LIMIT:
                self._refusing[kind, package] = REFUSED_IN_A_ROW
            elif kind in {FaultKind.QUOTA, FaultKind.STOCK_OUT}:
                self._refusing[kind, subject.token] = REFUSED_IN_A_ROW
            if kind is None:
                kind = self._refused(operation, subject.token, package)
            self._write(Entry(operation, subject.urn, subject.token, kind))
        return kind

    def _refused(self, operation: Operation, token: str, package: str) -> FaultKind | None:
        """Return what an earlier fault still refuses this operation for."""
        refusals = [(FaultKind.RATE_LIMIT, package)]
        if operation is Operation.CREATE:
            refusals += [(FaultKind.QUOTA, token), (FaultKind.STOCK_OUT, token)]
        for key in refusals:
            self._refusing[key] = self._refusing.get(key, 0) - 1
            if self._refusing[key] > 0:
                return key[0]
        return None

    def _notice_run(self) -> None:
        """Limits and shortages are over when the next run begins: who drives it names each run."""
        path = self._directory / RUN
        run = path.read_text(encoding="utf-8") if path.exists() else ""
        if run != self._run:
            self._run = run
            self._refusing.clear()

    def _write(self, entry: Entry) -> None:
        with (self._directory / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    def _do_late(self, operation: Operation, subject: Subject, do: Callable[[], object]) -> None:
        def later() -> None:
            threading.Event().wait(LATE_SECONDS)
            try:
                with contextlib.suppress(RefusedError):  # nobody listens any more
                    do()
            finally:
                with self._lock:
                    self._write(Entry(operation, subject.urn, subject.token, FaultKind.TIMEOUT, settled=True))

        thread = threading.Thread(target=later)
        self._late.append(thread)
        thread.start()

    def _die(self, kind: FaultKind, do: Callable[[], object]) -> None:
        if kind in {FaultKind.PROVIDER_DIES_AFTER, FaultKind.ENGINE_DIES_AFTER}:
            do()
        if kind in PROVIDER_DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(int((self._directory / ENGINE).read_text(encoding="utf-8")), signal.SIGKILL)


class FaultyCloud:
    """A cloud with faults before it."""

    def __init__(self, cloud: Cloud, faults: Faults) -> None:
        self._cloud = cloud
        self._faults = faults

    def create(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """As the cloud does, or as the fault says."""
        return self._faults.around(Operation.CREATE, subject, lambda: self._cloud.create(subject, inputs, planned))

    def read(self, subject: Subject, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The object, unless listings do not show it yet, or as the fault says."""
        if self._faults.hides(subject, resource_id):
            return None
        try:
            return self._faults.around(
                Operation.READ, subject, lambda: self._cloud.read(subject, resource_id, inputs, state)
            )
        except ReportedGoneError:
            return None

    def update(self, subject: Subject, resource_id: str, inputs: Values, planned: Values) -> Values:
        """As the cloud does, or as the fault says."""
        return self._faults.around(
            Operation.UPDATE, subject, lambda: self._cloud.update(subject, resource_id, inputs, planned)
        )

    def delete(self, subject: Subject, resource_id: str, state: Values) -> None:
        """As the cloud does, or as the fault says."""
        self._faults.around(Operation.DELETE, subject, lambda: self._cloud.delete(subject, resource_id, state))

    def list(self, token: str = "") -> Sequence[Found]:
        """As the cloud does."""
        return self._cloud.list(token)

    def invoke(self, function: str, arguments: Values, config: Values) -> Values:
        """As the cloud does."""
        return self._cloud.invoke(function, arguments, config)
