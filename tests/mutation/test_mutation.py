from __future__ import annotations

import io
from functools import cache
from typing import Any

import pytest
from rich.console import Console

from tests.mutation import changed, rehearsed
from tests.mutation.alone import caught_alone
from tests.mutation.mutant import GONE, Mutant
from tests.mutation.program_operators import OPERATORS
from tests.mutation.report import share, show, verdict
from tests.mutation.score import Judges, Tier, Tried, document, drawn, of_stage_file
from tests.mutation.stage_operators import STAGE_OPERATORS, StageMutant

ENOUGH_OF_FEW = 0.9
"""Two mutants of each operator are too few to tell 95 % from 93 %: `make mutation` draws more."""
pytestmark = pytest.mark.xdist_group("mutation")
API = {"type": "gcp:cloudrunv2/service:Service", "name": "dreamseed-api"}
REDIS = {"type": "docker:index/container:Container", "name": "redis-1"}
SECRET = {"type": "gcp:secretmanager/secret:Secret", "name": "dreamseed-content-key"}
GRANT = {"type": "gcp:secretmanager/secretIamMember:SecretIamMember", "name": "dreamseed-content-key"}


@cache
def judges() -> Judges:
    return Judges()


def mutant(of: dict[str, Any], **change: Any) -> Mutant:
    return Mutant(operator="by hand", what="by hand", **of, **change)


def told(of: dict[str, Any], **change: Any) -> set[Tier]:
    return set(judges().of_program(mutant(of, **change)).told)


def test_every_operator_finds_mutants_and_a_seed_draws_the_same_ones_again() -> None:
    of_program, of_files = drawn(2, seed=7)
    assert len({one.operator for one in of_program}) == len(OPERATORS)
    assert len({one.operator for one in of_files}) == len(STAGE_OPERATORS)
    assert (of_program, of_files) == drawn(2, seed=7)
    assert (of_program, of_files) != drawn(2, seed=8)


def test_each_tier_tells_what_is_its_own() -> None:
    assert Tier.MOCKS in told(REDIS, path=("memory",), value=1)
    assert Tier.POLICY in told(GRANT, path=("role",), value="roles/owner")
    assert Tier.REHEARSAL in told(API, path=("ingress",), value="INGRESS_TRAFFIC_SOME")


@pytest.mark.parametrize(
    ("of", "change", "words"),
    [
        (API, {"path": ("ingress",), "value": "INGRESS_TRAFFIC_SOME"}, "refused: ingress"),
        (API, {"path": ("template",), "value": GONE}, "refused: template is required"),
        (SECRET, {"path": ("secretId",), "value": "another"}, "a stateful resource would be replaced, for secretId"),
        (SECRET, {"renamed": "another"}, "a protected resource would be deleted"),
        (REDIS, {"renamed": "another"}, "already in use"),
    ],
)
def test_a_rehearsal_says_what_would_happen(of: dict[str, Any], change: dict[str, Any], words: str) -> None:
    assert words in (rehearsed.caught(rehearsed.shipped("stage-c"), mutant(of, **change)) or "nothing")


def test_what_the_provider_plans_alike_is_not_counted() -> None:
    alike = judges().of_program(mutant(REDIS, path=("attach",), value=False))
    assert not alike.told
    sound = mutant(REDIS, path=("memory",), value=12_320)
    assert sound.inputs({"memory": 12_320}) is None


def test_mocks_alone_tell_what_an_sdk_refuses_and_hardly_more() -> None:
    required = mutant(API, path=("template",), value=GONE)
    out_of_range = mutant(API, path=("template", "maxInstanceRequestConcurrency"), value=-1)
    assert caught_alone([required, out_of_range]) == {required}


def of_file(stage: str, path: tuple[str | int, ...], value: object) -> Tried:
    return of_stage_file(StageMutant(operator="by hand", stage=stage, what="by hand", path=path, value=value))


def test_a_stage_file_is_told_by_the_cheapest_tier_that_can() -> None:
    assert of_file("stage-c", ("api", "max_instances"), "many").first is Tier.MODELS
    assert of_file("stage-c", ("budget", "usd_per_month"), 289).first is Tier.PLAN
    same = of_file("stage-c", ("api", "max_instances"), document("stage-c")["api"]["max_instances"])
    assert same.equivalent


def test_the_engine_is_told_the_same_mutant() -> None:
    for one in (mutant(API, path=("template", "containers", 0, "image"), value=GONE), mutant(SECRET, unprotected=True)):
        assert changed.read(changed.told(one)) == one


def test_what_nobody_told_is_listed_and_fails_below_the_limit() -> None:
    silent = Tried(mutant(API, path=("description",), value=GONE), asked=tuple(Tier))
    loud = Tried(mutant(API, unprotected=True), told={Tier.POLICY: "unprotected"}, asked=silent.asked)
    of_files = [of_file("stage-a", ("api",), "all")]
    printed = io.StringIO()
    show([silent, loud, *of_files], Console(file=printed, width=200))
    assert "Told by nobody" in printed.getvalue()
    assert share([silent, loud]) == 0.5
    assert verdict([silent, loud]).startswith("FAIL: 1 of 2")
    assert verdict([loud]).startswith("PASS: 1 of 1")


def test_a_sample_of_every_operator_is_judged() -> None:
    of_program, of_files = drawn(2, seed=1)
    found = [*map(judges().of_program, of_program), *map(of_stage_file, of_files)]
    assert {tier for one in found for tier in one.told} >= set(Tier) - {Tier.PLAN}
    assert share(found) >= ENOUGH_OF_FEW, [str(one.mutant) for one in found if not one.told]
