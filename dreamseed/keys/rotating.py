"""The exchange of a key that the program makes, in two steps: each is declared, previewed, judged, and done.

What is declared is the journal: a line says which generations are to stand, and is on the disk before its step begins.
A command that was killed is run again, and goes on while the state does not hold just those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dreamseed.catalog.stateful import STATEFUL_TYPES
from dreamseed.config import StageConfig, load_stage
from dreamseed.config.keys import Exchange, KeyName
from dreamseed.keys.bringing import RotationError, Stack
from dreamseed.keys.declaration import declare
from dreamseed.keys.resources import KeyResource, resource_of
from dreamseed.keys.standing import is_protected, secrets_in, was_told

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
        state = self.stack.state()
        exchange = self._config().keys.get(self.key)
        if exchange is not None and (exchange.with_previous or self._is_leaving(state, exchange)):
            self.stack.say(f"going on with generation {exchange.generation}, which was begun before")
        else:
            self._require_one(state)
            self.stack.require_rest()
            exchange = self._declare(exchange.generation + 1 if exchange else 2, OVERLAP)
        old = self._leaving(state)
        if exchange.with_previous:
            self.stack.bring(f"generation {exchange.generation} of {self.key} comes into use", self._resource())
            exchange = self._declare(exchange.generation, None)
        resource = self._resource()
        self.stack.bring(f"generation {exchange.generation - 1} of {self.key} goes", resource)
        state = self.stack.state()
        if resource.type in STATEFUL_TYPES and not is_protected(state, resource):
            raise RuntimeError(f"{resource.current} is not protected: the program must declare it so")
        self.stack.look_again(old - secrets_in(state, resource, resource.current), state)
        self.stack.say(f"{self.key} is exchanged: generation {exchange.generation} is in use, the previous one is gone")

    def _config(self) -> StageConfig:
        return load_stage(self.stack.config_file, self.stack.project)

    def _resource(self) -> KeyResource:
        return resource_of(self._config(), self.key, retiring=True)

    def _declare(self, generation: int, overlap: timedelta | None) -> Exchange:
        """Write which generation is in use, for `overlap` with the previous one beside it, None: alone."""
        until = f"{self.now() + (overlap or timedelta()):%Y-%m-%dT%H:%M:%SZ}"
        exchange = Exchange(
            generation=generation,
            with_previous=overlap is not None,
            previous_until=until if self.key is KeyName.SERVICE_TOKEN else None,
        )
        declare(self.stack.project, self.key, exchange)
        beside = ", with the previous one beside it" if exchange.with_previous else " alone"
        self.stack.say(f"declared in Pulumi.yaml: {self.key}, generation {generation}{beside}")
        return exchange

    def _is_leaving(self, state: Mapping[str, Any], exchange: Exchange) -> bool:
        """Return whether the state still holds what is declared to be gone: a command was killed before its end."""
        resource = self._resource()
        if resource.in_place:
            return bool(was_told(state, resource, "previousClientSecretExpiresAt") != exchange.previous_until)
        return bool(secrets_in(state, resource, resource.previous))

    def _leaving(self, state: Mapping[str, Any]) -> set[str]:
        """Return the secret that is on its way out, as far as the state knows it; in place, the one in use."""
        resource = self._resource()
        return secrets_in(state, resource, resource.current if resource.in_place else resource.previous)

    def _require_one(self, state: Mapping[str, Any]) -> None:
        """Refuse a key that the stack does not have."""
        resource = self._resource()
        if not secrets_in(state, resource, resource.current):
            raise RotationError(
                self.stack.name,
                f"it has no {self.key}",
                f"{resource.current} is not in its state: this stage declares none, or no `up` has made it yet",
                "a key whose age `dreamseed keys list` tells, or bring the stack up first",
            )
