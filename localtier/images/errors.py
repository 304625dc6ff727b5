"""What can go wrong while images are built and handed out."""

from __future__ import annotations


class ImageError(Exception):
    """An image could not be built or loaded: what failed, and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n  what to do: {remedy}")
