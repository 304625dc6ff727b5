"""How many injected violations the rules catch: each rule's mutants, on each resource that it guards, in each stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dreamseed.config import STAGE_NAMES
from policy.judge import of_resource, of_stage, settle
from policy.model import Resource, Rule, Stage, StageRule
from policy.rules import RULES, STAGE_RULES
from policy.waivers import shipped_waivers
from tests.policy.mutants import MUTANTS
from tests.policy.recorded import resources, shipped

ENOUGH = 0.95
READS_THE_STAGE_ONLY = frozenset({"cost-guardrails", "prices-are-fresh"})


@dataclass(frozen=True)
class Tried:
    """One injection: into what, of which stage, and whether the rule told it."""

    rule: str
    stage: str
    resource: str
    injection: str
    caught: bool


@dataclass(frozen=True)
class Score:
    """The injections into what one rule guards; `guarded` resources over all stages."""

    rule: str
    guarded: int
    tried: tuple[Tried, ...]

    @property
    def caught(self) -> int:
        """Return how many were told."""
        return sum(one.caught for one in self.tried)


@cache
def scores() -> list[Score]:
    """Return every rule's score."""
    return [*map(_of_rule, RULES), *map(_of_stage_rule, STAGE_RULES)]


def ratio(found: list[Score]) -> float:
    """Return the share of injections that were caught, over all rules."""
    return sum(score.caught for score in found) / sum(len(score.tried) for score in found)


def _of_rule(rule: Rule) -> Score:
    guarded = [(stage, each) for stage in STAGE_NAMES for each in resources(stage) if rule.guards(each)]
    tried = tuple(one for stage, each in guarded for one in _injected(rule, stage, each))
    return Score(rule.name, len(guarded), tried)


def _injected(rule: Rule, stage: str, resource: Resource) -> Iterator[Tried]:
    for injection in MUTANTS.get(rule.name, ()):
        broken = injection.into(resource)
        if broken is not None:
            found = settle(of_resource(rule, broken, shipped(stage)), shipped(stage), shipped_waivers()).violations
            yield Tried(rule.name, stage, resource.name, injection.name, bool(found))


def _of_stage_rule(rule: StageRule) -> Score:
    tried, guarded = [], 0
    for name in STAGE_NAMES:
        stage = shipped(name)
        for demand in rule.demands(stage):
            counted = [each for each in resources(name) if demand.counts(each)]
            guarded += len(counted)
            others = [each for each in resources(name) if not demand.counts(each)]
            if demand.least:
                kept = [*others, *counted[: demand.least - 1]]
                tried.append(_tried(rule, stage, f"without {demand.what}", kept))
            if demand.most is not None:
                extra = counted[:1] or [account_key()]
                tried.append(_tried(rule, stage, f"another of {demand.what}", [*others, *counted, *extra]))
    return Score(rule.name, guarded, tuple(tried))


def _tried(rule: StageRule, stage: Stage, injection: str, kept: list[Resource]) -> Tried:
    return Tried(rule.name, stage.name, "the stage", injection, bool(of_stage(rule, kept, stage)))


def account_key() -> Resource:
    """Return a key of a service account that no stage declares."""
    kind = "gcp:serviceaccount/key:Key"
    return Resource(urn=f"urn:pulumi:a::p::{kind}::key", type=kind, name="key", inputs={}, secrets=(), protect=False)
