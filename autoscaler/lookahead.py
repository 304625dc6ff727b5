"""The daily pattern: the load at the same time of earlier days, so that a worker can be there when the peak comes."""

from __future__ import annotations

from autoscaler.policy import LookAhead
from autoscaler.records import Pattern

DAY_SECONDS = 86_400


def learned(pattern: Pattern, load: float, at: float, policy: LookAhead) -> Pattern:
    """Return the pattern with one more sample; a part of the day that is over is mixed into what is remembered."""
    bins = DAY_SECONDS // policy.bin_seconds
    place = int(at % DAY_SECONDS) // policy.bin_seconds % bins
    if place == pattern.bin and len(pattern.loads) == bins:
        return pattern.model_copy(update={"total": pattern.total + load, "samples": pattern.samples + 1})
    loads: list[float | None] = list(pattern.loads) if len(pattern.loads) == bins else [None] * bins
    if pattern.samples and 0 <= pattern.bin < bins:
        before, newest = loads[pattern.bin], pattern.total / pattern.samples
        loads[pattern.bin] = newest if before is None else before + policy.weight * (newest - before)
    return Pattern(loads=tuple(loads), bin=place, total=load, samples=1)


def expected(pattern: Pattern, at: float, policy: LookAhead) -> float | None:
    """Return the load that earlier days had at the time of day of `at`, or null where none is known."""
    bins = DAY_SECONDS // policy.bin_seconds
    if len(pattern.loads) != bins:
        return None
    return pattern.loads[int(at % DAY_SECONDS) // policy.bin_seconds % bins]


def peak_ahead(pattern: Pattern, load: float, now: float, lead_seconds: float, level: float, policy: LookAhead) -> bool:
    """Tell whether a load above `level` is due within `lead_seconds`, on a day that resembles those before."""
    usual = expected(pattern, now, policy)
    if usual is None or load < policy.resemblance * usual:
        return False
    ahead = expected(pattern, now + lead_seconds, policy)
    return ahead is not None and ahead > level
