"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`what` was looked at, whether it is as planned, and what was seen where it is not (or worth knowing)."""

    what: str
    ok: bool
    detail: str = ""


MOST_FAULTS = 5
"""So many are told of one kind; more say nothing more."""


def compared(what: str, seen: object, planned: object) -> Finding:
    """Return whether `seen` equals `planned`, with both in the detail where it does not."""
    return Finding(what=what, ok=seen == planned, detail="" if seen == planned else f"{seen}, planned {planned}")


def none_of(what: str, faults: list[str]) -> Finding:
    """Return that `what` is in order when nothing was found against it."""
    more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    return Finding(what=what, ok=not faults, detail="; ".join([*faults[:MOST_FAULTS], *more]))
