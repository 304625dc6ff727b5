"""The state on disk: written whole, by one leader only.

The lock lets one daemon lead. Its epoch, which rises with each leader and stands in the state and on every machine,
fences a leader that lost the lock and does not know: it finds a newer epoch, writes nothing and does nothing.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from autoscaler.records import BoundsState, Ledger, State

LOCK, STATE = "leader.lock", "state.json"


class NotLeaderError(Exception):
    """Another daemon leads; nothing may be written or done."""


class StateError(Exception):
    """The state cannot be read: without it nobody knows what the month has cost."""


class Store:
    """A folder with the state of one owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: IO[str] | None = None
        self._epoch = 0

    @property
    def begun(self) -> bool:
        """Tell whether there is a state, readable or not."""
        return (self._folder / STATE).exists()

    def begin(self, ledger: Ledger | None = None, bounds: Ledger | None = None) -> None:
        """Write the state of a daemon that never bought, with what the month is taken to have cost (default: nothing).

        `ledger` is of workers, `bounds` of the API's warm instances.

        Raises `StateError` where a state is there that has bought, or cannot be read. A daemon that runs with one that
        has not finds a newer epoch and begins with this one.
        """
        epoch = 0
        if self.begun:
            found = self._read()
            if found.launches or found.workers:
                raise StateError(f"{self._folder / STATE} has bought: it holds what the month has cost; leave it")
            epoch = found.epoch + 1
        self._write(State(epoch=epoch, ledger=ledger or Ledger(), bounds=BoundsState(ledger=bounds or Ledger())))

    def peek(self) -> State:
        """Return the state, whoever leads. Raises `StateError`."""
        return self._read()

    def lead(self) -> State:
        """Become the leader and return the state. Raises `NotLeaderError`, or `StateError` where it cannot be read."""
        lock = (self._folder / LOCK).open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise NotLeaderError(f"another daemon holds {self._folder / LOCK}") from error
        self._lock = lock
        found = self._read()
        self._epoch = found.epoch + 1
        state = found.model_copy(update={"epoch": self._epoch})
        self._write(state)
        return state

    def read(self) -> State:
        """Return the state. Raises `NotLeaderError` when a newer leader has written it."""
        found = self._read()
        if found.epoch != self._epoch:
            raise NotLeaderError(f"epoch {found.epoch} leads, this daemon's is {self._epoch}")
        return found

    def save(self, state: State) -> None:
        """Keep the state before anything is done. Raises `NotLeaderError` when a newer leader has written one."""
        self.read()
        self._write(state)

    def close(self) -> None:
        """Let another daemon lead."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _read(self) -> State:
        path = self._folder / STATE
        try:
            return State.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise StateError(
                f"{path} cannot be read, so nobody knows what the month's workers have cost: restore it, or begin anew "
                f"with --begin where no worker ran this month ({error})"
            ) from error

    def _write(self, state: State) -> None:
        part = self._folder / f"{STATE}.new"
        with part.open("w", encoding="utf-8") as file:
            file.write(state.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / STATE)
