"""Generations of keys: which is in use, and which one is on its way out.

A key is exchanged in two steps. The first makes the next generation beside the previous one and brings it to whoever
uses it; where a server takes two, it takes both meanwhile. The second deletes the previous one. A generation is a
resource of its own, protected from its birth on; the previous one loses its protection in the first step, so that the
second may delete it, and it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName

T = TypeVar("T")


@dataclass(frozen=True)
class Generations:
    """The generation in use, and whether the one before it still stands; `previous_until`: see `Exchange`."""

    current: int = 1
    with_previous: bool = False
    previous_until: str | None = None

    def current_name(self, base: str) -> str:
        """Return the name of the generation in use of what is called `base`: the first bears no number."""
        return self.numbered(base, self.current)

    def previous_name(self, base: str) -> str | None:
        """Return the name of the generation that is on its way out, None where there is none."""
        return self.numbered(base, self.current - 1) if self.with_previous else None

    def declared(self, base: str, declare: Callable[[str], T]) -> T:
        """Declare what is called `base` in every generation that stands; return the one in use."""
        if previous := self.previous_name(base):
            declare(previous)
        return declare(self.current_name(base))

    @staticmethod
    def numbered(base: str, generation: int) -> str:
        """Return the name of a generation."""
        return base if generation == 1 else f"{base}-{generation}"


FIRST = Generations()


def generations_of(config: StageConfig, key: KeyName) -> Generations:
    """Return which generations of `key` the stage declares."""
    exchange = config.keys.get(key)
    if exchange is None:
        return FIRST
    return Generations(exchange.generation, exchange.with_previous, exchange.previous_until)


def previous_of(name: str) -> str:
    """Return the name of the secret that holds the previous generation of the secret `name`."""
    return f"{name}-previous"
