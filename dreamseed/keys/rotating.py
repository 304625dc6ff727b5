"""The exchange of a key that the program makes, in two steps: each is declared, previewed, judged, and done.

What is declared is the journal: a line says how far the exchange has come, and is on the disk before the step begins.
A command that was killed is run again and goes on there; without a line that names a step it begins another generation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dreamseed.catalog.stateful import STATEFUL_TYPES
from dreamseed.config import StageConfig, load_stage
from dreamseed.config.keys import Exchange, KeyName, Step
from dreamseed.keys.bringing import RotationError, Stack
from dreamseed.keys.declaration import declare
from dreamseed.keys.resources import KeyResource, resource_of
from dreamseed.keys.standing import is_protected, secrets_in

OVERLAP = timedelta(days=1)
"""So long the service token's previous secret is valid if nobody retires it."""


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The exchange of `key` of a stack."""

    stack: Stack
    key: KeyName
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self) -> None:
        """Exchange the key, or go on where a killed command stopped; raises `RotationError`, `RuntimeError`."""
        exchange = self._config().keys.get(self.key)
        if exchange is None or exchange.step is None:
            self._require_one()
            self.stack.require_rest()
            exchange = self._declare(exchange.generation + 1 if exchange else 2, Step.SWITCH, OVERLAP)
        else:
            self.stack.say(f"going on at {exchange.step} of generation {exchange.generation}, which was begun before")
        old: set[str] = set()
        if exchange.step is Step.SWITCH:
            old |= self._leaving()
            self.stack.bring(f"generation {exchange.generation} of {self.key} comes into use", self._resource())
            exchange = self._declare(exchange.generation, Step.RETIRE, timedelta())
        old |= self._leaving()
        self.stack.bring(f"generation {exchange.generation - 1} of {self.key} goes", self._resource())
        resource, state = self._resource(), self.stack.state()
        if resource.type in STATEFUL_TYPES and not is_protected(state, resource):
            raise RuntimeError(f"{resource.current} is not protected: the program must declare it so")
        self.stack.look_again(old - secrets_in(state, resource, resource.current))
        self._write(Exchange(generation=exchange.generation, previous_until=exchange.previous_until))
        self.stack.say(f"{self.key} is exchanged: generation {exchange.generation} is in use, the previous one is gone")

    def _config(self) -> StageConfig:
        return load_stage(self.stack.config_file, self.stack.project)

    def _resource(self) -> KeyResource:
        config = self._config()
        exchange = config.keys.get(self.key)
        return resource_of(config, self.key, retiring=exchange is not None and exchange.step is Step.RETIRE)

    def _declare(self, generation: int, step: Step, overlap: timedelta) -> Exchange:
        until = f"{self.now() + overlap:%Y-%m-%dT%H:%M:%SZ}" if self.key is KeyName.SERVICE_TOKEN else None
        exchange = Exchange(generation=generation, step=step, previous_until=until)
        self._write(exchange)
        return exchange

    def _write(self, exchange: Exchange) -> None:
        declare(self.stack.project, self.key, exchange)
        step = f", step {exchange.step}" if exchange.step else ""
        self.stack.say(f"declared in Pulumi.yaml: {self.key}, generation {exchange.generation}{step}")

    def _require_one(self) -> None:
        """Refuse a key that the stack does not have."""
        resource = self._resource()
        if not secrets_in(self.stack.state(), resource, resource.current):
            raise RotationError(
                self.stack.name,
                f"it has no {self.key}",
                f"{resource.current} is not in its state: this stage declares none, or no `up` has made it yet",
                "a key whose age `dreamseed keys list` tells, or bring the stack up first",
            )

    def _leaving(self) -> set[str]:
        """Return the secret that is on its way out, as far as the state still knows it; in place, the one in use."""
        resource = self._resource()
        return secrets_in(self.stack.state(), resource, resource.current if resource.in_place else resource.previous)
