"""The ledger of a client: what happened to each thing it did, a JSON line each, on disk before it is counted."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SERIES_FILE = "series"
RUN_FACTOR = 1_000_000_000
"""Keys of one start of a client lie this far from those of the next: what was under way at a kill is not reused."""


class Outcome(StrEnum):
    """What happened. START and STOP frame a run of a client; LOST is a reader's: acknowledged, and not there."""

    START = "start"
    STOP = "stop"
    OK = "ok"
    FAILED = "failed"
    """Nothing was done: there was no connection."""
    IN_DOUBT = "in-doubt"
    """An error instead of an acknowledgement: it may have been done."""
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line. `time` in seconds since 1970; `lane` is the part of a service that did it (a partition, some slots)."""

    time: float
    outcome: Outcome
    key: str | None = None
    seconds: float | None = None
    error: str | None = None
    lane: str = ""
    first_seconds: float | None = None
    retries: int = 0


class Ledger:
    """Appends events. Safe for threads; what comes after `close` is dropped, since nothing counts it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = 1 + sum(event.outcome is Outcome.START for event in read_events(path))
        self._lock = threading.Lock()
        self._closed = False
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # A line that a kill cut short ends here, so that it spoils no other.
        os.write(self._descriptor, b"\n" if path.stat().st_size else b"")
        self.write(Outcome.START)

    def write(self, outcome: Outcome, **rest: Any) -> None:
        """Append an event of now; `rest` are the other fields of `Event`."""
        line = {"time": round(time.time(), 4), "outcome": outcome, **rest}
        with self._lock:
            if not self._closed:
                os.write(self._descriptor, (json.dumps(line, separators=(",", ":")) + "\n").encode())

    def close(self) -> None:
        """End the run."""
        self.write(Outcome.STOP)
        with self._lock:
            self._closed = True
            os.close(self._descriptor)

    def new_keys(self) -> Iterator[int]:
        """Count the keys of this run: each is larger than all before it."""
        number = self.run * RUN_FACTOR
        while True:
            number += 1
            yield number


def read_events(path: Path) -> Iterator[Event]:
    """Return the events of a ledger; none where there is no file. A line that was cut short is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = event_of(line)
            if event is not None:
                yield event


def event_of(line: str) -> Event | None:
    """Return the event of a ledger's line, null for one that is empty or was cut short."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    content["outcome"] = Outcome(content["outcome"])
    return Event(**content)


def acknowledged(path: Path) -> list[str]:
    """Return the keys that a ledger holds as acknowledged, in order."""
    return [event.key for event in read_events(path) if event.outcome is Outcome.OK and event.key is not None]


def series_of(folder: Path) -> str:
    """Return the folder's own name for what its clients write, made at the first call."""
    path = folder / SERIES_FILE
    if not path.exists():
        path.write_text(secrets.token_hex(4), encoding="utf-8")
    return path.read_text(encoding="utf-8")
