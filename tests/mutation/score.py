"""Which mutants are drawn, and which tier tells each of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from dreamseed.config import STAGE_NAMES, load_stage, parse_stage, stage_file
from dreamseed.config.load import stage_document
from dreamseed.errors import ConfigErrors, DreamSeedError
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.promotion import promotion_refusals
from dreamseed.planning.stage_plan import StagePlan
from policy.judge import of_resource, of_stage, settle
from policy.model import Resource, Stage
from policy.rules import RULES, STAGE_RULES
from policy.waivers import shipped_waivers
from tests import ledger
from tests.components import test_containers
from tests.components.test_apis import TURNS_ON, api_of
from tests.goldens import lines_of
from tests.mutation import rehearsed
from tests.mutation.component_tests import ComponentTests
from tests.mutation.mutant import Mutant
from tests.mutation.program_operators import OPERATORS, Surroundings
from tests.mutation.stage_operators import STAGE_OPERATORS, StageMutant
from tests.policy.recorded import TODAY, shipped
from tests.program import PROJECT, Registered, record

ENOUGH = 0.95
REFERRED_BY = frozenset({"email", "member", "name", "selfLink", "version", "imageId", "uri"})
"""Outputs that one resource names another by."""
One = TypeVar("One", Mutant, StageMutant)


class Tier(StrEnum):
    """Who may tell that something is wrong, in order of cost."""

    MODELS = "models"
    PLAN = "plan"
    MOCKS = "mocks"
    POLICY = "policy"
    REHEARSAL = "rehearsal"
    REVIEW = "review"
    """No rule: the recorded inventories differ, and a person accepts that or does not."""


RULE_TIERS = tuple(tier for tier in Tier if tier is not Tier.REVIEW)
OF_PROGRAM = (Tier.MOCKS, Tier.POLICY, Tier.REHEARSAL, Tier.REVIEW)


@dataclass
class Tried:
    """One mutant: what each tier that was asked says against it, and whether Pulumi mocks alone tell it."""

    mutant: Mutant | StageMutant
    told: dict[Tier, str] = field(default_factory=dict)
    asked: tuple[Tier, ...] = ()
    alone: bool = False
    equivalent: str = ""

    @property
    def by_rule(self) -> bool:
        """Tell whether a rule told it, and not a review alone."""
        return any(tier in self.told for tier in RULE_TIERS)

    @property
    def first(self) -> Tier | None:
        """Return the cheapest tier that tells it."""
        return next((tier for tier in Tier if tier in self.told), None)


def drawn(sample: int, seed: int) -> tuple[list[Mutant], list[StageMutant]]:
    """Return up to `sample` mutants of each operator, in turns over the types of resource or sections of a file."""
    rng = random.Random(seed)  # noqa: S311 - replayable on purpose
    of_program: list[Mutant] = []
    for operator in OPERATORS:
        by_type: dict[str, list[Mutant]] = {}
        for resource, around in _latest():
            for mutant in operator(resource, around):
                by_type.setdefault(mutant.type, []).append(mutant)
        of_program += _in_turns(by_type, sample, rng)
    of_files: list[StageMutant] = []
    for change in STAGE_OPERATORS:
        by_section: dict[str, list[StageMutant]] = {}
        for stage in STAGE_NAMES:
            for mutated in change(stage, document(stage)):
                by_section.setdefault(str(mutated.path[0]), []).append(mutated)
        of_files += _in_turns(by_section, sample, rng)
    return of_program, of_files


def _in_turns(kinds: Mapping[str, Sequence[One]], sample: int, rng: random.Random) -> list[One]:
    waiting = [rng.sample(list(kind), len(kind)) for kind in kinds.values()]
    rng.shuffle(waiting)
    found: list[One] = []
    while waiting and len(found) < sample:
        found.extend(kind.pop() for kind in waiting)
        waiting = [kind for kind in waiting if kind]
    return found[:sample]


@cache
def document(stage: str) -> Mapping[str, Any]:
    """Return what the shipped file of `stage` says over what all share."""
    return stage_document(stage_file(PROJECT, stage))


@cache
def _latest() -> list[tuple[Registered, Surroundings]]:
    """Return every resource of the program as the last stage that has it declares it."""
    found: dict[tuple[str, str], tuple[Registered, Surroundings]] = {}
    for name in STAGE_NAMES:
        stage = rehearsed.shipped(name)
        around = Surroundings(_references(stage), _reaching(stage))
        found |= {(each.type, each.name): (each, around) for each in stage.resources}
    return [found[key] for key in sorted(found)]


def _references(stage: rehearsed.Stage) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return what each resource may be referred to by (its id, some outputs), with the same texts of its siblings."""
    outputs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for made in stage.made.values():
        told = {"id": made.id} | {key: value for key, value in made.outputs.items() if key in REFERRED_BY}
        in_tests = rehearsed.in_tests(made)
        for key, value in told.items():
            if isinstance(value, str) and len(value) > 5:
                outputs.setdefault((made.subject.token, key), []).append((value, str(in_tests.get(key, value))))
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for values in outputs.values():
        for index, (value, _) in enumerate(values):
            found[value] = tuple(other for other in values[index + 1 :] + values[:index] if other[0] != value)
    return found


def _reaching(stage: rehearsed.Stage) -> Callable[[str, frozenset[str]], frozenset[str]]:
    waits_for = {each.urn: each.dependencies for each in stage.resources}

    def reaches(urn: str, without: frozenset[str]) -> frozenset[str]:
        ahead, found = [one for one in waits_for[urn] if one not in without], set[str]()
        while ahead:
            one = ahead.pop()
            if one not in found:
                found.add(one)
                ahead.extend(waits_for.get(one, ()))
        return frozenset(found)

    return reaches


class Judges:
    """Every tier, ready to be asked."""

    def __init__(self) -> None:
        self._components = ComponentTests()

    def of_program(self, mutant: Mutant) -> Tried:
        """Ask the tiers that look at a program's resources."""
        tried = Tried(mutant, asked=OF_PROGRAM)
        standing = [stage for stage in map(rehearsed.shipped, STAGE_NAMES) if _differs(stage, mutant)]
        if mutant.without and _serves_another(mutant, standing[-1]):
            tried.equivalent = "it waits for an API that serves others"
            return tried
        if all(rehearsed.is_the_same(stage, mutant) for stage in standing):
            tried.equivalent = "the provider plans the same resource"
            return tried
        answers = {
            Tier.MOCKS: self._components.caught(mutant.as_recorded()),
            Tier.POLICY: _first(
                _policy(shipped(stage.name), mutant.among(stage.resources), mutant) for stage in standing
            ),
            Tier.REHEARSAL: _first(rehearsed.caught(stage, mutant) for stage in standing),
            Tier.REVIEW: _first(_review(stage.name, mutant) for stage in standing),
        }
        tried.told = {tier: answer for tier, answer in answers.items() if answer}
        return tried


def _serves_another(mutant: Mutant, stage: rehearsed.Stage) -> bool:
    kind, _, name = mutant.without.rpartition("::")
    resource = next(each for each in stage.resources if mutant.is_of(each.type, each.name))
    return kind.endswith(TURNS_ON) and name != f"{api_of(resource)}.googleapis.com"


def _review(stage: str, mutant: Mutant) -> str | None:
    before = next(each for each in record(stage) if mutant.is_of(each.type, each.name))
    same = not mutant.lost and list(lines_of(before)) == list(lines_of(mutant.into(before)))
    return None if same else f"the inventory of {stage} differs"


def _differs(stage: rehearsed.Stage, mutant: Mutant) -> bool:
    return mutant.among(stage.resources) != stage.resources


def _first(answers: Iterable[str | None]) -> str | None:
    """Return the first answer; a judge that cannot take what it is given makes the engine's run fail, too."""
    try:
        return next((answer for answer in answers if answer), None)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"


def _policy(held: Stage, resources: Sequence[Registered], only: Mutant | None = None) -> str | None:
    """Return what the policies say of a stage; the rules on single resources are asked about the changed one alone."""
    seen = [
        Resource(urn=r.urn, type=r.type, name=r.name, inputs=r.inputs, secrets=r.secrets, protect=r.protect)
        for r in resources
    ]
    judged = [r for r in seen if only is None or only.is_of(r.type, r.name) or only.renamed == r.name]
    found = [v for rule in RULES for each in judged for v in of_resource(rule, each, held)]
    found += [v for rule in STAGE_RULES for v in of_stage(rule, seen, held)]
    broken = settle(found, held, shipped_waivers()).violations
    return f"{broken[0].rule}: {broken[0].fault}" if broken else None


def of_stage_file(mutant: StageMutant) -> Tried:
    """Ask the tiers about a stage file: what the models let pass goes on to the plan, then to the program."""
    tried = Tried(mutant, asked=(Tier.MODELS,))
    try:
        config = parse_stage({}, mutant.into(document(mutant.stage)), mutant.stage)
    except (ConfigErrors, DreamSeedError) as error:
        tried.told[Tier.MODELS] = str(error)
        tried.alone = True
        return tried
    tried.asked = (Tier.MODELS, Tier.PLAN)
    before, after = _neighbours(mutant.stage)
    try:
        plan = plan_stage(config, mutant.stage)
    except (ConfigErrors, DreamSeedError) as error:
        tried.told[Tier.PLAN] = str(error)
        tried.alone = True
        return tried
    if (config, plan) == (_plan(mutant.stage).config, _plan(mutant.stage)):
        tried.equivalent = "the file means the same"
        return tried
    refusals = (
        *(promotion_refusals(before, plan) if before else ()),
        *promotion_refusals(_plan(mutant.stage), plan),
        *(promotion_refusals(plan, after) if after else ()),
    )
    if refusals:
        tried.told[Tier.PLAN] = str(refusals[0])
        return tried
    tried.asked = RULE_TIERS
    _of_what_it_declares(tried, mutant, Stage(name=mutant.stage, config=config, today=TODAY))
    return tried


def _of_what_it_declares(tried: Tried, mutant: StageMutant, held: Stage) -> None:
    with rehearsed.elsewhere(mutant.stage) as folder:
        try:
            stage = rehearsed.stand(mutant.stage, folder, mutant.into(document(mutant.stage)))
        except Exception as error:  # noqa: BLE001 - whatever the program or a provider says
            tried.told[Tier.REHEARSAL] = str(error)
            return
    answers = {
        Tier.MOCKS: _house_rules(stage),
        Tier.POLICY: _policy(held, stage.resources),
        Tier.REHEARSAL: rehearsed.promoted(rehearsed.shipped(mutant.stage), stage),
    }
    tried.told |= {tier: answer for tier, answer in answers.items() if answer}


def _house_rules(stage: rehearsed.Stage) -> str | None:
    """Return what the rules of the servers' tier, and the ledger, say: the tests about shipped values do not apply."""
    for each in stage.resources:
        if each.type == test_containers.CONTAINER:
            for rule in (*test_containers.RULES, test_containers.marks_files_with_secrets):
                if not rule(each):
                    return f"{rule.__name__}: {each.name}"
    return _first(ledger.faults(stage.name, stage.resources, ledger.read()))


@cache
def _plan(name: str) -> StagePlan:
    return plan_stage(load_stage(stage_file(PROJECT, name)), name)


def _neighbours(name: str) -> tuple[StagePlan | None, StagePlan | None]:
    place = STAGE_NAMES.index(name)
    before = _plan(STAGE_NAMES[place - 1]) if place else None
    return before, _plan(STAGE_NAMES[place + 1]) if place + 1 < len(STAGE_NAMES) else None
