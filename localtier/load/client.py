"""What the clients have in common: a thread, a pace, and what was acknowledged so far."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path

from localtier.load.ledger import Ledger, Outcome, acknowledged


class Client(ABC):
    """Does `step` so often a second until it is stopped; `step` records what happened and raises nothing."""

    name: str

    def __init__(self, folder: Path, per_second: float) -> None:
        self.ledger = Ledger(folder / f"{self.name}.jsonl")
        self._interval_seconds = 1 / per_second
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=self.name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Let the step that runs end, for at most `timeout_seconds`, and close the ledger."""
        self.stopping.set()
        self._thread.join(timeout_seconds)
        self.ledger.close()

    def run(self) -> None:
        """Do the steps. One that took long is not made up for: a burst would be another load."""
        following = time.monotonic()
        while not self.stopping.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - no error of a service's library may end the load unseen
                self.ledger.write(Outcome.FAILED, error=f"unexpected {kind_of(error)}")
            following = max(time.monotonic(), following + self._interval_seconds)
            self.stopping.wait(following - time.monotonic())
        self.close()

    @abstractmethod
    def step(self) -> None:
        """Do one thing."""

    def close(self) -> None:  # noqa: B027 - most have nothing to do
        """Give back what the client holds."""


class Acknowledged:
    """The keys that were acknowledged, for readers to choose from."""

    def __init__(self, *ledgers: Path) -> None:
        self._keys = [key for path in ledgers for key in acknowledged(path)]

    def add(self, key: str) -> None:
        """Remember a key."""
        self._keys.append(key)

    def any(self) -> str | None:
        """Return any one of them, null while there is none."""
        return random.choice(self._keys) if self._keys else None  # noqa: S311 - any will do


class Reader(Client):
    """Reads back what was acknowledged. LOST is recorded for what is not there or not as it was written."""

    def __init__(self, folder: Path, per_second: float, written: Acknowledged) -> None:
        super().__init__(folder, per_second)
        self._written = written

    def step(self) -> None:
        """Read one key."""
        key = self._written.any()
        if key is None:
            return
        began = time.monotonic()
        try:
            whole = self.is_whole(key)
        except OSError as error:
            self.ledger.write(Outcome.FAILED, error=kind_of(error))
            return
        seconds = round(time.monotonic() - began, 4)
        if whole:
            self.ledger.write(Outcome.OK, seconds=seconds)
        else:
            self.ledger.write(Outcome.LOST, key=key, error="lost")

    @abstractmethod
    def is_whole(self, key: str) -> bool:
        """Tell whether `key` is there as it was written. Raises OSError where nobody can tell."""


def kind_of(error: BaseException) -> str:
    """Return an error's class and the beginning of its text, without what differs each time."""
    cause = error.__cause__ or error
    first = (str(cause).strip().splitlines() or [""])[0]
    return f"{type(cause).__name__}: {first}"[:120]
