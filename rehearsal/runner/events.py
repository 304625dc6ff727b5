"""Read the engine's event log (`--event-log`): one JSON object a line, written while the engine runs.

Source of the shapes: sdk/v3 3.259.0, go/common/apitype/events.go, read 2026-11-23.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.resources import (
    ACTION_OF_OPERATION,
    PROVIDER_PREFIX,
    STACK_TYPE,
    STRENGTH,
    Action,
    Resource,
    name_of,
)

REFRESH = "refresh"
CREATIONS = frozenset({"create", "create-replacement"})
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Change:
    """What a run did, or a preview would do, to one resource; `properties` are the inputs that differ."""

    resource: Resource
    action: Action
    properties: tuple[str, ...]


@dataclass(frozen=True)
class Diagnostic:
    """What the engine, a provider or the program said during a run; `urn` is empty where it is about no resource."""

    severity: str
    message: str
    urn: str


@dataclass(frozen=True)
class Broken:
    """A rule of a policy pack that a resource breaks; `urn` is empty where it is the stack."""

    rule: str
    urn: str
    message: str
    mandatory: bool


@dataclass
class EventLog:
    """What the events read so far say. Feed it lines; ask it when the engine has ended."""

    errors: list[str] = field(default_factory=list)
    registered: int = 0
    broken: list[Broken] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack_outputs: Mapping[str, Any] = field(default_factory=dict)
    _states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _protected: set[str] = field(default_factory=set)
    _operations: dict[str, set[str]] = field(default_factory=dict)
    _differing: dict[str, set[str]] = field(default_factory=dict)
    _creating: set[str] = field(default_factory=set)
    _outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def feed(self, lines: Iterable[str]) -> None:
        """Take more lines of the log."""
        for line in lines:
            event = json.loads(line)
            if "resourcePreEvent" in event:
                self._step(event["resourcePreEvent"]["metadata"])
            elif "resOutputsEvent" in event:
                self._outcome(event["resOutputsEvent"]["metadata"])
            elif "policyEvent" in event:
                self._policy(event["policyEvent"])
            elif "diagnosticEvent" in event:
                self._diagnostic(event["diagnosticEvent"])

    def _step(self, step: Mapping[str, Any]) -> None:
        urn = step["urn"]
        if step["op"] in CREATIONS:
            self._creating.add(urn)
        self.registered += urn not in self._operations
        sides = [side for side in (step.get("new"), step.get("old")) if side]
        self._states[urn] = sides[0]
        if any(side.get("protect") for side in sides):
            self._protected.add(urn)
        self._operations.setdefault(urn, set()).add(step["op"])
        self._differing.setdefault(urn, set()).update(step.get("diffs") or (), step.get("keys") or ())

    def _outcome(self, step: Mapping[str, Any]) -> None:
        """Take what has ended, and what a refresh found, which only the event after it says."""
        self._creating.discard(step["urn"])
        if step.get("new"):
            self._outputs[step["urn"]] = step["new"].get("outputs") or {}
            if step["new"].get("type") == STACK_TYPE:
                self.stack_outputs = self._outputs[step["urn"]]
        operations = self._operations.get(step["urn"], set())
        if REFRESH in operations:
            operations.add(step["op"])

    def _diagnostic(self, diagnostic: Mapping[str, Any]) -> None:
        message, urn = _COLOUR.sub("", diagnostic["message"]).strip(), diagnostic.get("urn") or ""
        self.diagnostics.append(Diagnostic(diagnostic["severity"], message, urn))
        if diagnostic["severity"] == "error":
            about = name_of(urn) if urn else ""
            self.errors.append(f"{about}: {message}" if about else message)

    def _policy(self, event: Mapping[str, Any]) -> None:
        mandatory = event["enforcementLevel"] == "mandatory"
        message = _COLOUR.sub("", event["message"]).strip()
        urn = event.get("resourceUrn", "")
        self.broken.append(Broken(event["policyName"], "" if f"::{STACK_TYPE}::" in urn else urn, message, mandatory))
        if mandatory:
            self.errors.append(f"{event['policyName']}: {message}")

    @property
    def changing(self) -> int:
        """Return how many resources the run has begun to change."""
        return sum(self._action(urn) is not None for urn in self._states)

    def creates(self, types: tuple[str, ...]) -> bool:
        """Tell whether a resource of a type that begins with one of `types` is being created, as far as was read."""
        return any(self._states[urn]["type"].startswith(types) for urn in self._creating)

    def resources(self) -> list[Resource]:
        """Return the resources that exist after the run: neither the stack, nor providers, nor components."""
        return [
            self._resource(urn)
            for urn, state in self._states.items()
            if self._is_resource(state) and self._action(urn) is not Action.DELETE
        ]

    def creations(self) -> list[Mapping[str, Any]]:
        """Return the states, as the engine tells them, of the resources that are created and were not there."""
        return [state for state in self.created_states() if state.get("custom")]

    def created_states(self) -> list[Mapping[str, Any]]:
        """Return the states of all that is created and was not there: the stack, components and providers, too."""
        return [
            {**state, "outputs": self._outputs.get(urn, {})}
            for urn, state in self._states.items()
            if "create" in self._operations[urn]
        ]

    def component_count(self) -> int:
        """Return how many component resources exist after the run (the stack is none)."""
        return sum(
            not state.get("custom") and state.get("type") != STACK_TYPE and self._action(urn) is not Action.DELETE
            for urn, state in self._states.items()
        )

    def changes(self) -> list[Change]:
        """Return what changes among the resources: neither the stack, nor providers, nor components."""
        return [change for change in self.all_changes() if self._is_resource(self._states[change.resource.urn])]

    def all_changes(self) -> list[Change]:
        """Return whatever changes: components and providers too."""
        return [
            Change(self._resource(urn), action, tuple(sorted(self._differing[urn])))
            for urn in self._states
            if (action := self._action(urn)) is not None
        ]

    def _action(self, urn: str) -> Action | None:
        actions = [ACTION_OF_OPERATION[op] for op in self._operations[urn] if op in ACTION_OF_OPERATION]
        return max(actions, key=STRENGTH.__getitem__, default=None)

    @staticmethod
    def _is_resource(state: Mapping[str, Any]) -> bool:
        return bool(state.get("custom")) and not state["type"].startswith(PROVIDER_PREFIX)

    def _resource(self, urn: str) -> Resource:
        state = self._states[urn]
        parents: list[str] = []
        parent = state.get("parent")
        while parent and f"::{STACK_TYPE}::" not in parent:
            parents.insert(0, name_of(parent))
            parent = self._states.get(parent, {}).get("parent")
        inputs = state.get("inputs") or {}
        outputs = self._outputs.get(urn) or state.get("outputs") or {}
        return Resource(urn, state.get("type", ""), tuple(parents), inputs, urn in self._protected, outputs)
