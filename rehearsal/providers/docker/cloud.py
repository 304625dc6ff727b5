"""The cloud whose resources live on real Docker Engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from docker.api.client import APIClient

from rehearsal.providers.docker.containers import Containers
from rehearsal.providers.docker.engines import Engines
from rehearsal.providers.docker.images import Images
from rehearsal.providers.docker.networks import Networks
from rehearsal.providers.docker.properties import without_secrets
from rehearsal.providers.docker.turns import Turn, Turns
from rehearsal.providers.docker.volumes import Volumes
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import Values, plain


class Objects(Protocol):
    """One type of object on one engine."""

    token: str

    def create(self, api: APIClient, subject: Subject, inputs: Values, planned: Values, turn: Turn) -> Found:
        """Make it."""

    def read(self, api: APIClient, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """It as it is now."""

    def update(self, api: APIClient, resource_id: str, inputs: Values, planned: Values, turn: Turn) -> Values:
        """Change it in place."""

    def delete(self, api: APIClient, subject: Subject, resource_id: str, state: Values, turn: Turn) -> None:
        """Remove it."""

    def list(self, api: APIClient) -> list[Found]:
        """All of them."""


class DockerCloud:
    """The Docker Engines of a mapping file, behind the seam that the fake cloud stands behind too.

    One call at a time acts on an object of a host; a newer call for the same resource ends an older one that waits.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._turns = Turns()
        self._types: dict[str, Objects] = {kind.token: kind for kind in (Networks(), Volumes(), Images(), Containers())}

    def close(self) -> None:
        """End every call that waits."""
        self._turns.stop()

    def _type(self, token: str) -> Objects:
        if token not in self._types:
            raise RefusedError(
                f"the attached docker provider does not make {token}: it makes {', '.join(sorted(self._types))}",
                RefusedError.Kind.UNIMPLEMENTED,
            )
        return self._types[token]

    @contextmanager
    def _acting(self, subject: Subject, values: Values) -> Iterator[tuple[APIClient, Turn]]:
        host, name = host_of(subject), str(plain(values.get("name", "")))
        with self._turns.take((host, subject.token, name), subject.urn) as turn, self._engines.connected(host) as api:
            yield api, turn

    def create(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """Make the object, or bring to its end what an interrupted create of the same resource began."""
        kind = self._type(subject.token)
        with self._acting(subject, planned) as (api, turn):
            return kind.create(api, subject, inputs, planned, turn)

    def read(self, subject: Subject, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The object as it really is: what was last known, with every difference."""
        kind = self._type(subject.token)
        with self._engines.connected(host_of(subject)) as api:
            return kind.read(api, resource_id, inputs, state)

    def update(self, subject: Subject, resource_id: str, inputs: Values, planned: Values) -> Values:
        """Change the object in place."""
        kind = self._type(subject.token)
        with self._acting(subject, planned) as (api, turn):
            return kind.update(api, resource_id, inputs, planned, turn)

    def delete(self, subject: Subject, resource_id: str, state: Values) -> None:
        """Remove the object; `state` says how."""
        kind = self._type(subject.token)
        with self._acting(subject, state) as (api, turn):
            kind.delete(api, subject, resource_id, without_secrets(state), turn)

    def list(self, token: str = "") -> Sequence[Found]:
        """Every object of one type, or of all, on every engine of the mapping."""
        kinds = [self._type(token)] if token else list(self._types.values())
        found: list[Found] = []
        for host in sorted(self._engines.mapping()):
            with self._engines.connected(host) as api:
                for kind in kinds:
                    found += kind.list(api)
        return found

    def invoke(self, function: str, arguments: Values, config: Values) -> Values:  # noqa: ARG002 - the seam's form
        """No function is answered: the program calls none."""
        raise RefusedError(
            f"the attached docker provider answers no functions, so not {function}: write the value instead",
            RefusedError.Kind.UNIMPLEMENTED,
        )


def host_of(subject: Subject) -> str:
    """The `host` of the provider instance that the call goes through."""
    return str(plain(subject.config.get("host")) or "")
