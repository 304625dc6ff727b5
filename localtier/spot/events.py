"""What happened to each machine of the stand-in, a JSON line each."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class What(StrEnum):
    """What happened to a machine; GONE is when nothing of it is left on its host."""

    ASKED = "asked"
    RUNNING = "running"
    SERVING = "serving"
    DRAINING = "draining"
    DRAINED = "drained"
    DELETED = "deleted"
    PREEMPTED = "preempted"
    EXPIRED = "expired"
    FAILED = "failed"
    GONE = "gone"


ENDS = frozenset({What.DELETED, What.PREEMPTED, What.EXPIRED})


@dataclass(frozen=True, kw_only=True)
class MachineEvent:
    """One line; `time` in seconds since 1970."""

    time: float
    machine: str
    what: What
    detail: str = ""


class MachineLog:
    """Appends events. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, event: MachineEvent) -> None:
        """Append one."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(event)) + "\n")


def read_machine_events(path: Path) -> list[MachineEvent]:
    """Return what was written so far, in order of time; a line that is being written is left out."""
    found: list[MachineEvent] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        content["what"] = What(content["what"])
        found.append(MachineEvent(**content))
    return sorted(found, key=lambda one: one.time)
