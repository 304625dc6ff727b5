"""One call at a time for each object, and a way to tell the running one to give up.

An engine that is killed leaves its call running here, perhaps waiting minutes for a container's health. When the next
run asks for the same object, the old call ends at once and the new one goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rehearsal.providers.seams import RefusedError


@dataclass
class Turn:
    """The right to act on one object; `check` where a call waits."""

    urn: str
    superseded: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises `RefusedError` when the call should end: a newer one of the same resource waits, or all stop."""
        if self.superseded.is_set():
            raise RefusedError("given up: a newer call for the same resource has come, or the provider stops")

    def pause(self, seconds: float) -> None:
        """Wait, but end early with `check`'s error."""
        self.superseded.wait(seconds)
        self.check()


class Turns:
    """Hands out the turns of all objects."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queues: dict[tuple[str, ...], list[Turn]] = {}
        self._changed = threading.Condition(self._guard)
        self._stopped = False

    @contextmanager
    def take(self, key: tuple[str, ...], urn: str) -> Iterator[Turn]:
        """Wait for the object's turn; older calls of the same URN are told to give up."""
        turn = Turn(urn)
        with self._changed:
            queue = self._queues.setdefault(key, [])
            for older in queue:
                if older.urn == urn:
                    older.superseded.set()
            if self._stopped:
                turn.superseded.set()
            queue.append(turn)
            self._changed.wait_for(lambda: queue[0] is turn)
        try:
            turn.check()
            yield turn
        finally:
            with self._changed:
                queue.remove(turn)
                if not queue:
                    del self._queues[key]
                self._changed.notify_all()

    def stop(self) -> None:
        """Tell every call, also each that comes later, to give up."""
        with self._changed:
            self._stopped = True
            for queue in self._queues.values():
                for turn in queue:
                    turn.superseded.set()
