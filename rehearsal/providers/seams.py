"""The two seams of a rehearsal: who judges a program (`Judge`) and where its resources live (`Cloud`).

The servicer joins one of each and knows nothing of either: a vendor's own plugin can be the judge, a real Docker
Engine can be the cloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rehearsal.providers.values import Values


class RefusedError(Exception):
    """The provider or the cloud says no; `kind` is the gRPC status that the real one would answer."""

    class Kind(StrEnum):
        """Why it was refused."""

        ALREADY_EXISTS = "already exists"
        NOT_FOUND = "not found"
        FAILED_PRECONDITION = "failed precondition"
        INVALID_ARGUMENT = "invalid argument"
        UNIMPLEMENTED = "unimplemented"
        UNAVAILABLE = "unavailable"

    def __init__(self, message: str, kind: Kind = Kind.FAILED_PRECONDITION) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Subject:
    """The resource that a call is about, and the configuration of the provider instance that it goes through.

    `id` is empty until the resource exists.
    """

    token: str
    urn: str
    name: str
    config: Values = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Failure:
    """One wrong input: where (a property path), and what is wrong, why, and what to write instead."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs as the provider will use them (names filled in, secrets marked), and what is wrong with them."""

    inputs: Values
    failures: Sequence[Failure] = ()


class ChangeKind(StrEnum):
    """How a property changes."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class PropertyChange:
    """A change at a concrete property path, and whether the provider must replace the resource for it.

    The empty path stands for a change of which a provider does not say where.
    """

    path: str
    kind: ChangeKind
    replaces: bool


@dataclass(frozen=True)
class Difference:
    """What a new program changes in an existing resource; no changes means that there is nothing to do."""

    changes: Sequence[PropertyChange] = ()
    delete_before_replace: bool = False


class Judge(Protocol):
    """What a provider says of a program before it touches anything."""

    def check_config(self, package: str, inputs: Values) -> Checked:
        """The provider's configuration, as used, or what is wrong with it."""

    def check(self, subject: Subject, inputs: Values, old_inputs: Values, seed: bytes) -> Checked:
        """The inputs of a resource, as used, or what is wrong with them; `seed` feeds generated names."""

    def diff(
        self, subject: Subject, old_inputs: Values, state: Values, inputs: Values, ignore_changes: Sequence[str]
    ) -> Difference:
        """What `inputs` change in a resource whose last known outputs are `state`."""

    def plan_create(self, subject: Subject, inputs: Values) -> Values:
        """The outputs of a new resource; unknown where only the cloud knows."""

    def plan_update(self, subject: Subject, state: Values, inputs: Values, old_inputs: Values | None = None) -> Values:
        """The outputs after an update; unknown where only the cloud knows."""

    def seal(self, subject: Subject, values: Values) -> Values:
        """Values read from the cloud, with what must stay secret marked as such."""

    def keeps_on_delete(self, subject: Subject, state: Values) -> bool:
        """Whether a delete only forgets the resource; raises `RefusedError` when the provider guards it."""


@dataclass(frozen=True)
class Found:
    """A resource as the cloud has it now: its inputs as last applied and its outputs."""

    id: str
    inputs: Values
    outputs: Values


class HalfMadeError(RefusedError):
    """The resource exists and is not what was asked for: the engine keeps `found`, and its next run updates it."""

    def __init__(self, message: str, found: Found) -> None:
        super().__init__(message)
        self.found = found


class Cloud(Protocol):
    """Where resources live; every method raises `RefusedError` where the real cloud would."""

    def create(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """Make the resource and fill in what `planned` left unknown."""

    def read(self, subject: Subject, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The resource as it is now, or None when it is gone; `state` is what the engine last knew."""

    def update(self, subject: Subject, resource_id: str, inputs: Values, planned: Values) -> Values:
        """Change the resource in place and fill in what `planned` left unknown."""

    def delete(self, subject: Subject, resource_id: str, state: Values) -> None:
        """Remove the resource, as its last known outputs say; nothing happens when it is gone already."""

    def list(self, token: str = "") -> Sequence[Found]:
        """Every resource of one type, or of all."""

    def invoke(self, function: str, arguments: Values, config: Values) -> Values:
        """A data source or function."""
