"""The fleet in time: requests come, a router sends each to the least loaded engine, workers come and go.

The router weighs engines by their cache and asks the next when one holds as many as it may
(`dreamseed.planning.services.vllm`). A worker that is taken back loses its requests; they begin anew elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from autoscaler.cloud import DRAIN_ITEM
from simulator.compute.model import Compute, Machine
from simulator.fleet.control import Control
from simulator.fleet.engine import FleetEngine, Request, Speed
from simulator.fleet.outcome import Ledger
from simulator.fleet.scaler import Seen

TICK_SECONDS = 2.0
MINUTE_TICKS = 30


class Fleet:
    """Engines, router and workers. Times are seconds since the trace began, at midnight."""

    def __init__(self, owned: Iterable[Speed], worker: Speed, compute: Compute, most_held: int) -> None:
        self.now = 0.0
        self.ledger = Ledger()
        self.requests = self.refused = 0
        self.machines: dict[str, Machine] = {}
        self._owned = [FleetEngine(speed, self.now) for speed in owned]
        self._workers: dict[str, FleetEngine] = {}
        self._open = list(self._owned)
        self._worker_speed, self._compute, self._most_held = worker, compute, most_held
        self._minute: deque[tuple[int, int, float]] = deque([(0, 0, 0.0)], maxlen=MINUTE_TICKS + 1)
        self._concurrency: deque[int] = deque([0], maxlen=MINUTE_TICKS)
        self._gone_tokens, self._gone_seconds = 0, 0.0

    def play(self, arrivals: Iterable[Request], seconds: float, control: Control) -> None:
        """Play the arrivals under an autoscaler, and then an hour in which all may end."""
        tick_at, decide_at = self.now + TICK_SECONDS, self.now
        for request in arrivals:
            while tick_at <= request.arrived_at:
                decide_at = self._tick(tick_at, decide_at, control)
                tick_at += TICK_SECONDS
            self._run(request.arrived_at)
            self.requests += 1
            self.ledger.came(request)
            self._route(request)
        while tick_at <= seconds:
            decide_at = self._tick(tick_at, decide_at, control)
            tick_at += TICK_SECONDS
        self._run(self.now + 3_600)
        self.ledger.close(self.now, everything=True)

    def _run(self, until: float) -> None:
        for engine in self._owned:
            while engine.next_at <= until:
                engine.event()
        for engine in self._workers.values():
            while engine.next_at <= until:
                engine.event()
        self.now = until

    def _route(self, request: Request) -> None:
        best, least = None, float("inf")
        for engine in self._open:
            held = engine.held
            if held < self._most_held and (held + 1) / engine.weight < least:
                best, least = engine, (held + 1) / engine.weight
        if best is None:
            self.refused += 1
            request.ended_at = float("inf")
            request.first_at = float("inf")
            return
        best.advance(self.now)
        best.submit(request)

    def _tick(self, now: float, decide_at: float, control: Control) -> float:
        """Let workers come and go, take the metrics, and let the autoscaler decide when it is due."""
        self._run(now)
        self._sync(now)
        engines = [*self._owned, *self._workers.values()]
        for engine in engines:
            engine.advance(now)
        running = sum(engine.running for engine in engines)
        waiting = sum(engine.waiting for engine in engines)
        self._concurrency.append(running + waiting)
        tokens = self._gone_tokens + sum(engine.first_tokens for engine in engines)
        seconds = self._gone_seconds + sum(engine.first_wait_seconds for engine in engines)
        self._minute.append((self.requests, tokens, seconds))
        self.ledger.served_by(len(self._workers), now)
        if now % 60 < TICK_SECONDS:
            self.ledger.close(now)
        if now < decide_at:
            return decide_at
        then = self._minute[0]
        passed = (len(self._minute) - 1) * TICK_SECONDS
        control.act(
            Seen(
                now=now,
                owned=len(self._owned),
                ready=len(self._open),
                ordered=sum(now < one.ends_at and DRAIN_ITEM not in one.metadata for one in self._compute.machines),
                running=running,
                waiting=waiting,
                kv_cache_usage=sum(engine.used_tokens() for engine in engines)
                / sum(engine.speed.kv_tokens for engine in engines),
                first_token_seconds=(seconds - then[2]) / max(1, tokens - then[1]),
                requests_per_second=(self.requests - then[0]) / passed,
                concurrency=list(self._concurrency),
            )
        )
        return now + control.seconds

    def _sync(self, now: float) -> None:
        """Bring the engines up to what the machines are."""
        for machine in self._compute.machines:
            self.machines.setdefault(machine.name, machine)
            engine = self._workers.get(machine.name)
            if engine is None:
                if machine.serving_at <= now < machine.ends_at and DRAIN_ITEM not in machine.metadata:
                    self._workers[machine.name] = FleetEngine(self._worker_speed, now)
            elif now >= machine.ends_at:
                del self._workers[machine.name]
                self._open = self._still_open()
                self._gone_tokens += engine.first_tokens
                self._gone_seconds += engine.first_wait_seconds
                for request in engine.abandon():
                    self._route(request)
            elif DRAIN_ITEM in machine.metadata:
                machine.drained_at = now if engine.held == 0 else float("inf")
        self._open = self._still_open()

    def _still_open(self) -> list[FleetEngine]:
        closed = {one.name for one in self._compute.machines if DRAIN_ITEM in one.metadata}
        return [*self._owned, *(engine for name, engine in self._workers.items() if name not in closed)]
