"""The journal of steps that may be cut off, a promotion's or a fail-over's: a JSON line an event, on the disk before
anything is done.

A kill may leave half a line at the end: it was never acted upon, and is cut off. Each line names the digest of the line
before, so that an edited journal is found.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError
from dreamseed.signing import canonical, digest_of_bytes

START = "sha256:" + "0" * 64


class Event(StrEnum):
    """What is noted: of the whole, of a silence, of a step."""

    OPENED = "opened"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
    BEGUN = "begun"
    DONE = "done"
    VERIFIED = "verified"
    FAILED = "failed"
    WAITING = "waiting"
    UNDONE = "undone"
    FINISHED = "finished"
    ROLLED_BACK = "rolled back"


class JournalError(DreamSeedError):
    """A journal cannot be gone on with."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event, of `step` or of the whole (empty)."""

    at: datetime
    event: Event
    step: str
    detail: dict[str, Any]


class Journal:
    """The journal in the file `path`. Nobody else may write to it meanwhile: open it with `opened`."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._clock = clock
        self.entries, self._previous, whole = _read(path)
        if path.exists() and path.stat().st_size > whole:
            os.truncate(path, whole)

    def note(self, event: Event, step: str = "", **detail: Any) -> None:
        """Append an event, and return once it is on the disk."""
        at = self._clock().astimezone(UTC)
        line = canonical(
            {"at": at.isoformat(), "event": event, "step": step, "detail": detail, "previous": self._previous}
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._previous = digest_of_bytes(line)
        self.entries.append(Entry(at=at, event=event, step=step, detail=detail))

    def state(self, step: str) -> Event | None:
        """Return the last event of a step, None when it was never begun."""
        of_step = [entry.event for entry in self.entries if entry.step == step]
        return of_step[-1] if of_step else None

    def began(self, step: str) -> bool:
        """Tell whether a step was ever acted upon."""
        return any(entry.step == step and entry.event is Event.BEGUN for entry in self.entries)

    @property
    def opening(self) -> dict[str, Any] | None:
        """Return what the journal was opened with, None in a new one."""
        return self.entries[0].detail if self.entries else None

    def belongs_to(self, **named: str) -> None:
        """Note whose journal a new one is, or see that it is of this very one. Raises `JournalError`."""
        if self.opening is None:
            self.note(Event.OPENED, **named)
        elif self.opening != named:
            raise JournalError(
                str(self.path),
                f"is of {_words(self.opening)}, not of {_words(named)}",
                "whoever goes on with the journal of something else skips steps that were never done",
                "the journal as git has it, or another file",
            )

    @property
    def is_over(self) -> bool:
        """Tell whether all was finished or rolled back: there is nothing to go on with."""
        return is_over(self.entries)


@contextmanager
def opened(path: Path, clock: Callable[[], datetime]) -> Iterator[Journal]:
    """Give the journal at `path` to one process alone; raises `JournalError` when another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalError(
                str(path),
                "is being written by another process",
                "one process at a time does the steps",
                "wait for it to end",
            ) from error
        yield Journal(path, clock)


def is_over(entries: Sequence[Entry]) -> bool:
    """Tell whether all was finished or rolled back."""
    return any(entry.event in (Event.FINISHED, Event.ROLLED_BACK) for entry in entries)


def read_journal(path: Path) -> tuple[Entry, ...]:
    """Return the events in a journal, for whoever only looks."""
    return tuple(_read(path)[0])


def _read(path: Path) -> tuple[list[Entry], str, int]:
    """Return the events, the digest of the last whole line, and how many bytes the whole lines are."""
    entries: list[Entry] = []
    previous, whole = START, 0
    if not path.exists():
        return entries, previous, whole
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            content = json.loads(line)
            entry = Entry(
                at=datetime.fromisoformat(content["at"]),
                event=Event(content["event"]),
                step=content["step"],
                detail=content["detail"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise _edited(path, number) from error
        if content["previous"] != previous:
            raise _edited(path, number)
        entries.append(entry)
        previous = digest_of_bytes(line)
        whole += len(line) + 1
    return entries, previous, whole


def _edited(path: Path, number: int) -> JournalError:
    return JournalError(
        f"{path} › line {number}",
        "is not as it was written",
        "each line names the one before; what was cut off goes on only from what really happened",
        "the file from git or a backup; or look at the stage by hand, and begin with a new one",
    )


def _words(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(named.items()))
