"""What the engine's events say about resources, in the words of a rehearsal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"
TOP_LEVEL = "(top level)"


class Action(StrEnum):
    """What a step does to a resource in the end; a replacement is one action, however many steps it takes."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


# The engine's step operations that change something (sdk/go/common/apitype, OpType), strongest action last:
# where several steps touch one resource, the strongest names what happened to it.
ACTION_OF_OPERATION: Mapping[str, Action] = {
    "import": Action.CREATE,
    "create": Action.CREATE,
    "update": Action.UPDATE,
    "delete": Action.DELETE,
    "discard": Action.DELETE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "delete-replaced": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "read-replacement": Action.REPLACE,
    "discard-replaced": Action.REPLACE,
}
STRENGTH = {action: rank for rank, action in enumerate((Action.CREATE, Action.UPDATE, Action.DELETE, Action.REPLACE))}


@dataclass(frozen=True)
class Resource:
    """A resource as the engine sees it; `parents` names the components around it, outermost first.

    `protected` is the engine's protection before or after the step.
    """

    urn: str
    type: str
    parents: tuple[str, ...]
    inputs: Mapping[str, Any]
    protected: bool
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """As the engine tells them: secrets are hidden."""

    @property
    def name(self) -> str:
        """The logical name, the last part of the URN."""
        return name_of(self.urn)


@dataclass(frozen=True)
class Traits:
    """What a rehearsal must know of a resource: the component it counts for, and whether it holds state."""

    component: str
    stateful: bool


Classify = Callable[[Resource], Traits]


def by_default(resource: Resource) -> Traits:
    """Count a resource for its outermost component; take it for stateful when it is protected."""
    return Traits(resource.parents[0] if resource.parents else TOP_LEVEL, resource.protected)


def name_of(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.rsplit("::", 1)[-1]
