"""Ask the rules about resources; what is waived is told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policy.model import Resource, Rule, Stage, StageRule, Violation
from policy.rules import RULES, STAGE_RULES
from policy.waivers import Waiver


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is broken, and what is broken but waived."""

    violations: tuple[Violation, ...]
    waived: tuple[tuple[Violation, Waiver], ...]


def judge(resources: Sequence[Resource], stage: Stage, waivers: Iterable[Waiver]) -> Judgement:
    """Return what every rule finds in the resources of one stage."""
    found = [v for rule in RULES for resource in resources for v in of_resource(rule, resource, stage)]
    found += [v for rule in STAGE_RULES for v in of_stage(rule, resources, stage)]
    return settle(found, stage, waivers)


def settle(found: Iterable[Violation], stage: Stage, waivers: Iterable[Waiver]) -> Judgement:
    """Return `found`, with what a waiver that holds lets pass told apart."""
    held = [waiver for waiver in waivers if waiver.holds(stage)]
    violations, waived = [], []
    for violation in found:
        waiver = next((one for one in held if one.covers(violation)), None)
        if waiver is None:
            violations.append(violation)
        else:
            waived.append((violation, waiver))
    return Judgement(violations=tuple(violations), waived=tuple(waived))


def of_resource(rule: Rule, resource: Resource, stage: Stage) -> list[Violation]:
    """Return how `resource` breaks `rule`."""
    if not rule.guards(resource):
        return []
    return [_violation(rule, resource.urn, fault) for fault in rule.faults(resource, stage)]


def of_stage(rule: StageRule, resources: Iterable[Resource], stage: Stage) -> list[Violation]:
    """Return how the resources of a whole stage break `rule`."""
    every = tuple(resources)
    faults = []
    for demand in rule.demands(stage):
        count = sum(map(demand.counts, every))
        if count < demand.least:
            faults.append(f"{demand.what} is missing ({count} of {demand.least})")
        elif demand.most is not None and count > demand.most:
            faults.append(f"{demand.what} is there {count} times, {demand.most} at most may be")
    return [_violation(rule, "", fault) for fault in faults]


def _violation(rule: Rule | StageRule, urn: str, fault: str) -> Violation:
    return Violation(rule=rule.name, severity=rule.severity, urn=urn, fault=fault, remedy=rule.remedy)
