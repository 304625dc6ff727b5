"""What a rule is, and what it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from dreamseed.config import StageConfig


class Unknown:
    """A value that only the provider will know; a preview has many of them."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


class Severity(StrEnum):
    """What the engine does when the rule is broken."""

    MANDATORY = "mandatory"
    """The run fails."""
    ADVISORY = "advisory"
    """The run goes on, and says so."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the program asked for it, with the SDKs' type tokens and the wire's names of inputs.

    `inputs` hold plain values, `UNKNOWN` where there is none yet; `secrets` are the paths of what is marked secret.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...]
    protect: bool

    def at(self, path: str, absent: Any = None) -> Any:
        """Return the input at the dotted `path`, `absent` where a part of it is missing."""
        value: Any = self.inputs
        for key in path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                return absent
            value = value[key]
        return value

    def is_secret(self, path: str) -> bool:
        """Tell whether the input at `path`, or what holds it, is marked secret."""
        return any(path == secret or path.startswith((f"{secret}.", f"{secret}[")) for secret in self.secrets)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield every text in the inputs with its path, such as ``template.containers[0].image``."""
        return _texts(self.inputs, "")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the resources are held to: the stage file, and the day of asking (accepted overruns and waivers end)."""

    name: str
    config: StageConfig
    today: date


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule over single resources: which it `guards`, and what of one of them breaks it."""

    name: str
    description: str
    remedy: str
    guards: Callable[[Resource], bool]
    faults: Callable[[Resource, Stage], Iterable[str]]
    severity: Severity = Severity.MANDATORY


@dataclass(frozen=True, kw_only=True)
class Demand:
    """So many resources for which `counts` holds must there be, from `least` to `most` (None: any number)."""

    what: str
    counts: Callable[[Resource], bool]
    least: int = 1
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class StageRule:
    """One rule over all resources of a stage: what must be there, and what must not."""

    name: str
    description: str
    remedy: str
    demands: Callable[[Stage], Iterable[Demand]]
    severity: Severity = Severity.MANDATORY


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A rule that is broken; `urn` is empty where it is the stage as a whole that breaks it."""

    rule: str
    severity: Severity
    urn: str
    fault: str
    remedy: str

    @property
    def resource(self) -> str:
        """Return the resource's logical name, or "the stage"."""
        return self.urn.rsplit("::", 1)[-1] or "the stage"

    def __str__(self) -> str:
        return f"{self.resource}: {self.fault}. Instead: {self.remedy}"


def of_type(*types: str) -> Callable[[Resource], bool]:
    """Return what guards the resources of these types."""
    return lambda resource: resource.type in types
