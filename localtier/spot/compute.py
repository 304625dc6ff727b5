"""The stand-in's project where machines are real: each insertion takes a free place, and a life begins there.

What the API answers is the model's (`simulator.compute`). Only the times of a machine are not drawn: they are when its
containers really ran, served, had drained and were gone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from localtier.spot.events import MachineEvent, What
from localtier.spot.settings import Place
from simulator.compute.model import NOTICE_SECONDS, Compute, Faults, Machine

Tell = Callable[[MachineEvent], None]


@dataclass
class Fate:
    """What a machine's life is told from outside: the model's entry, and why it ends."""

    machine: Machine
    place: Place
    why: What = What.EXPIRED
    thread: threading.Thread | None = field(default=None, repr=False)


class Living(Protocol):
    """How a machine lives on its place, from its start until nothing is left there."""

    def __call__(self, fate: Fate) -> None:
        """Live; may raise nothing."""


class SpotCompute(Compute):
    """One project with as many machines as places; a further insertion finds the zone sold out."""

    def __init__(self, places: Sequence[Place], live: Living, tell: Tell) -> None:
        super().__init__(Faults())
        self._places, self._live, self._tell = tuple(places), live, tell
        self.fates: list[Fate] = []

    def _sold_out(self) -> bool:
        return not self._free()

    def _free(self) -> list[Place]:
        taken = {one.place.host for one in self.fates if one.thread is not None and one.thread.is_alive()}
        return [place for place in self._places if place.host not in taken]

    def _machine(self, name: str, zone: str, labels: dict[str, str], max_run_seconds: float, now: float) -> Machine:
        never = math.inf
        machine = Machine(
            name=name,
            zone=zone,
            labels=labels,
            max_run_seconds=max_run_seconds,
            created_at=now,
            listed_at=now,
            running_at=never,
            serving_at=never,
            ends_at=now + max_run_seconds - NOTICE_SECONDS,
            gone_lag_seconds=0.0,
        )
        fate = Fate(machine, self._free()[0])
        fate.thread = threading.Thread(target=self._live, args=(fate,), name=name, daemon=True)
        self.fates.append(fate)
        self._tell(MachineEvent(time=now, machine=name, what=What.ASKED, detail=fate.place.host))
        fate.thread.start()
        return machine

    def drain(self, name: str, zone: str, metadata: dict[str, str], fingerprint: str, now: float) -> None:
        """Set a machine's metadata; when it has drained, it says itself."""
        super().drain(name, zone, metadata, fingerprint, now)
        self._there(name, zone, now).drained_at = math.inf

    def delete(self, name: str, zone: str, now: float) -> None:
        """Let a machine end."""
        self._end(name, zone, now, What.DELETED)

    def preempt(self, name: str, zone: str, now: float) -> None:
        """Take a machine back."""
        self._end(name, zone, now, What.PREEMPTED)

    def _end(self, name: str, zone: str, now: float, why: What) -> None:
        machine = self._there(name, zone, now)
        if machine.ends_at <= now:
            return
        fate = next(one for one in self.fates if one.machine is machine)
        fate.why, machine.ends_at = why, now
