"""A daemon without a cloud: samples go in one after the other, and the list shows what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from autoscaler.decide import decide
from autoscaler.policy import Policy
from autoscaler.records import Action, Decision, Delete, Drain, Instance, Inventory, Launch, Observation, State, Status
from autoscaler.records import Report as Said
from tests.autoscaler.policies import NOW

TURN_SECONDS = 15.0


@dataclass
class Driven:
    """Takes a turn each 15 s; what is launched serves two turns later, what is deleted is gone at once."""

    policy: Policy
    state: State = field(default_factory=State)
    now: float = NOW
    instances: dict[str, Instance] = field(default_factory=dict)
    actions: list[tuple[float, Action]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    follows: bool = True
    """Whether the cloud does what it is asked."""

    def turn(self, observe: Callable[[float], Observation]) -> Decision:
        self.now += TURN_SECONDS
        shown = tuple(self._aged(one) for one in self.instances.values())
        seen = observe(self.now).model_copy(update={"inventory": Inventory(taken_at=self.now, instances=shown)})
        decision = decide(self.state, seen, self.policy, self.now)
        self.state = decision.state
        self.reasons = list(decision.reasons)
        for action in decision.actions:
            self.actions.append((self.now, action))
            if self.follows:
                self._follow(action)
        return decision

    def turns(self, number: int, observe: Callable[[float], Observation]) -> None:
        for _ in range(number):
            self.turn(observe)

    def asked(self, kind: type[Launch | Drain | Delete]) -> list[str]:
        return [action.name for _, action in self.actions if isinstance(action, kind)]

    def _aged(self, one: Instance) -> Instance:
        serves = self.now - one.created_at >= 2 * TURN_SECONDS
        return one.model_copy(update={"report": Said.SERVING if serves else Said.LOADING})

    def _follow(self, action: Action) -> None:
        if isinstance(action, Launch):
            self.instances[action.name] = Instance(
                name=action.name,
                zone=action.zone,
                status=Status.RUNNING,
                created_at=self.now,
                expires_at=action.expires_at,
            )
        elif isinstance(action, Delete):
            self.instances.pop(action.name, None)
        elif isinstance(action, Drain) and action.name in self.instances:
            drained = self.instances[action.name].model_copy(update={"draining_since": self.now})
            self.instances[action.name] = drained


def launches(actions: Iterable[Action]) -> list[Launch]:
    return [action for action in actions if isinstance(action, Launch)]
