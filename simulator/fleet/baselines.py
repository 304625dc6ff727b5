"""Four autoscalers as others have built them, after their sources; only what each needs for a fleet of one service.

A replica is an engine: the owners' are always there, so that the bounds are `owned` and `owned + 2`. What their
authors leave to the user is chosen here once and the same for every trace: the target of concurrency is 0.7 of what an
owned engine holds at the trace's mean length (Knative's own share), that of requests a second 0.8 of what it serves.
"""

from __future__ import annotations

import math
from collections import deque

from simulator.fleet.scaler import Seen

WORKERS = 2


def clamped(replicas: float, seen: Seen) -> int:
    """Return how many workers that many replicas are, within the bounds."""
    return int(min(max(replicas, seen.owned), seen.owned + WORKERS)) - seen.owned


class Stabilised:
    """Kubernetes' way down: the highest advice of the last 300 s. Up: at once, four more or twice as many at most."""

    WINDOW_SECONDS = 300.0

    def __init__(self) -> None:
        self._advice: deque[tuple[float, int]] = deque()

    def settle(self, now: float, current: int, desired: int) -> int:
        """Return the replicas to set."""
        self._advice.append((now, desired))
        while self._advice[0][0] < now - self.WINDOW_SECONDS:
            self._advice.popleft()
        highest = max(advice for _, advice in self._advice)
        return min(highest, current + max(4, current)) if highest > current else highest


class Hpa:
    """Kubernetes HPA v2 on a pods metric, the requests in flight of a replica.

    Source: kubernetes/kubernetes pkg/controller/podautoscaler, replica_calculator.go and horizontal.go @ 0006726.
    """

    name, seconds = "HPA", 15.0
    TOLERANCE = 0.1

    def __init__(self, target: float) -> None:
        self._target, self._down = target, Stabilised()

    def workers(self, seen: Seen) -> int:
        """Return ceil(ratio × ready), with those that are not ready counted as idle while it scales up."""
        replicas = seen.owned + seen.ordered
        ratio = (seen.running + seen.waiting) / (self._target * seen.ready)
        desired = replicas
        if abs(ratio - 1) > self.TOLERANCE:
            if ratio > 1 and replicas > seen.ready:
                ratio *= seen.ready / replicas
                desired = math.ceil(ratio * replicas) if ratio > 1 + self.TOLERANCE else replicas
            else:
                desired = math.ceil(ratio * seen.ready)
        return clamped(self._down.settle(seen.now, replicas, desired), seen)


class Kpa:
    """Knative's autoscaler on concurrency, with its panic mode.

    Source: knative/serving pkg/autoscaler/scaling/autoscaler.go and config/core/configmaps/autoscaler.yaml @ 98e5ef9.
    """

    name, seconds = "KPA", 2.0
    PANIC_SAMPLES, PANIC, STABLE_SECONDS = 3, 2.0, 60.0
    UP_RATE, DOWN_RATE = 1_000, 2

    def __init__(self, target: float) -> None:
        self._target = target
        self._panic_since: float | None = None
        self._peak = 0

    def workers(self, seen: Seen) -> int:
        """Return the stable advice, or in panic the highest since it began."""
        newest = seen.concurrency[-self.PANIC_SAMPLES :]
        stable = math.ceil(sum(seen.concurrency) / len(seen.concurrency) / self._target)
        panic = math.ceil(sum(newest) / len(newest) / self._target)
        highest, lowest = math.ceil(self.UP_RATE * seen.ready), seen.ready // self.DOWN_RATE
        bounded = [min(max(advice, lowest), highest) for advice in (stable, panic)]
        over = panic / seen.ready >= self.PANIC
        if over:
            self._panic_since = seen.now
        elif self._panic_since is not None and seen.now - self._panic_since >= self.STABLE_SECONDS:
            self._panic_since, self._peak = None, 0
        if self._panic_since is None:
            return clamped(bounded[0], seen)
        self._peak = max(self._peak, *bounded)
        return clamped(self._peak, seen)


class Keda:
    """KEDA over an HPA with the settings of vLLM's production stack: five waiting requests a replica.

    Source: kedacore/keda @ 8b4f083; vllm-project/production-stack tutorials/assets/keda-scaled-object.yaml @ a6c01db.
    Its cooldown plays no part with a minimum above 0: the way down is the HPA's.
    """

    name, seconds = "KEDA", 15.0
    TARGET, TOLERANCE = 5.0, 0.1

    def __init__(self) -> None:
        self._down = Stabilised()

    def workers(self, seen: Seen) -> int:
        """Return ceil(waiting / 5) replicas."""
        replicas = seen.owned + seen.ordered
        ratio = seen.waiting / (self.TARGET * replicas)
        desired = replicas if abs(ratio - 1) <= self.TOLERANCE else max(1, math.ceil(seen.waiting / self.TARGET))
        return clamped(self._down.settle(seen.now, replicas, desired), seen)


class SkyServe:
    """SkyServe's request rate, with the owners' engines as its base.

    Source: skypilot-org/skypilot sky/serve/autoscalers.py @ 4b81f5d and constants.py @ 6c4a928.
    """

    name, seconds = "SkyServe", 20.0
    UP_NEEDED, DOWN_NEEDED = 15, 60

    def __init__(self, requests_per_second: float) -> None:
        self._rate = requests_per_second
        self._up = self._down = 0
        self._target: int | None = None

    def workers(self, seen: Seen) -> int:
        """Return the target, which follows the rate after 300 s up and 1,200 s down in a row."""
        wanted = clamped(math.ceil(seen.requests_per_second / self._rate), seen)
        target = self._target if self._target is not None else 0
        self._up = self._up + 1 if wanted > target else 0
        self._down = self._down + 1 if wanted < target else 0
        if self._up >= self.UP_NEEDED or self._down >= self.DOWN_NEEDED:
            target, self._up, self._down = wanted, 0, 0
        self._target = target
        return target


class Nobody:
    """No autoscaler: what the owners' engines do alone."""

    name, seconds = "none", 60.0

    def workers(self, seen: Seen) -> int:
        """Return none whatever is seen."""
        return clamped(seen.owned, seen)
