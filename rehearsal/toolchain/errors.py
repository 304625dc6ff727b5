"""What can go wrong while the engine is prepared."""

from __future__ import annotations


class ToolchainError(Exception):
    """The engine could not be found or built: what failed, and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n  what to do: {remedy}")
