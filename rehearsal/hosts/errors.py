"""What can go wrong with hosts on this machine."""

from __future__ import annotations


class HostsError(Exception):
    """A host, its network or its engine could not be had: what failed, and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n  what to do: {remedy}")
