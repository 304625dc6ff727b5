"""What a run showed: minutes outside the objective, what the workers cost, how often the fleet was changed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf

from simulator.fleet.engine import Request

OBJECTIVE_SECONDS = 5.0
"""Of the first token and of the whole answer, for 95 % of a minute's requests. Source: the growth plan, section 5."""
LATE_SHARE = 0.05
PATIENCE_MINUTES = 90
"""A request that has no first token after that long counts as late for good."""


@dataclass(slots=True)
class Minute:
    """One minute: the shares of its requests that were late, and the workers that served in it."""

    at: int
    requests: int
    late: float
    late_whole: float
    workers: float


@dataclass(kw_only=True)
class Outcome:
    """One autoscaler on one trace at one stage."""

    scaler: str
    stage: str
    trace: str
    factor: float
    requests: int = 0
    refused: int = 0
    usd: float = 0.0
    worker_hours: float = 0.0
    launched: int = 0
    actions: int = 0
    minutes: list[Minute] = field(default_factory=list)

    @property
    def outside(self) -> int:
        """Return the minutes in which more than 5 % waited longer than 5 s for the first token."""
        return sum(one.late > LATE_SHARE for one in self.minutes)

    @property
    def outside_whole(self) -> int:
        """Return the minutes in which more than 5 % of the whole answers took longer than 5 s."""
        return sum(one.late_whole > LATE_SHARE for one in self.minutes)


class Ledger:
    """Holds each minute's requests until all have ended, or long enough."""

    def __init__(self) -> None:
        self.minutes: list[Minute] = []
        self._open: deque[tuple[int, list[Request]]] = deque()
        self._workers: dict[int, list[int]] = {}

    def came(self, request: Request) -> None:
        """Enter a request in its minute."""
        minute = int(request.arrived_at // 60)
        if not self._open or self._open[-1][0] != minute:
            self._open.append((minute, []))
        self._open[-1][1].append(request)

    def served_by(self, workers: int, now: float) -> None:
        """Note how many workers serve now."""
        self._workers.setdefault(int(now // 60), []).append(workers)

    def close(self, now: float, *, everything: bool = False) -> None:
        """Judge the minutes that are over for good."""
        while self._open:
            minute, requests = self._open[0]
            patient = not everything and minute > now / 60 - PATIENCE_MINUTES
            if patient and (minute * 60 + 60 > now or any(one.ended_at == inf for one in requests)):
                return
            self._open.popleft()
            self._judge(minute, requests)

    def _judge(self, minute: int, requests: list[Request]) -> None:
        late = sum(one.first_at - one.arrived_at > OBJECTIVE_SECONDS for one in requests)
        whole = sum(one.ended_at - one.arrived_at > OBJECTIVE_SECONDS for one in requests)
        workers = self._workers.pop(minute, [0])
        count = len(requests)
        self.minutes.append(Minute(minute, count, late / count, whole / count, sum(workers) / len(workers)))
