from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES
from dreamseed.errors import ConfigError
from policy.judge import Judgement, judge, of_resource, of_stage, settle
from policy.model import UNKNOWN, Resource, Severity
from policy.rules import RULES, STAGE_RULES
from policy.rules.cost import BUDGET
from policy.waivers import LONGEST_DAYS, Waiver, read_waivers, shipped_waivers
from tests.planning.stages import configured
from tests.policy.mutants import MUTANTS
from tests.policy.recorded import TODAY, resources, shipped
from tests.policy.score import ENOUGH, READS_THE_STAGE_ONLY, account_key, ratio, scores
from tests.program import PROJECT

each_stage = pytest.mark.parametrize("name", STAGE_NAMES)
BY_NAME = {rule.name: rule for rule in RULES}


def judged(name: str, today: date = TODAY) -> Judgement:
    return judge(resources(name), shipped(name, today), shipped_waivers())


@each_stage
def test_a_shipped_stage_breaks_no_rule(name: str) -> None:
    assert not judged(name).violations


@each_stage
def test_a_waiver_that_has_ended_lets_nothing_pass(name: str) -> None:
    last = max(waiver.until for waiver in shipped_waivers())
    waived = {(v.rule, v.urn) for v, _ in judged(name).waived}
    assert waived
    back = judged(name, last + timedelta(days=1)).violations
    assert {(v.rule, v.urn) for v in back if v.severity is Severity.MANDATORY} == waived


def test_every_waiver_is_needed_in_each_stage_that_it_names() -> None:
    used = {(waiver, name) for name in STAGE_NAMES for _, waiver in judged(name).waived}
    assert used == {(waiver, name) for waiver in shipped_waivers() for name in waiver.stages}


def test_every_rule_guards_something_and_catches_what_is_injected_there() -> None:
    found = scores()
    assert [score.rule for score in found] == [*(r.name for r in RULES), *(r.name for r in STAGE_RULES)]
    assert all(score.guarded for score in found)
    assert all(score.caught for score in found if score.rule not in READS_THE_STAGE_ONLY)
    assert ratio(found) >= ENOUGH


@each_stage
def test_no_stage_takes_one_more_key_than_it_has(name: str) -> None:
    [rule] = [rule for rule in STAGE_RULES if rule.name == "no-long-lived-keys"]
    assert not of_stage(rule, resources(name), shipped(name))
    assert of_stage(rule, [*resources(name), account_key()], shipped(name))


def test_every_injection_finds_a_resource_that_it_breaks() -> None:
    tried = {(one.rule, one.injection) for score in scores() for one in score.tried}
    assert {(rule, one.name) for rule, injections in MUTANTS.items() for one in injections} <= tried


def test_every_rule_has_mutants_and_words_that_help() -> None:
    assert set(MUTANTS) == set(BY_NAME) - READS_THE_STAGE_ONLY
    words = [(rule.description, rule.remedy) for rule in RULES]
    words += [(rule.description, rule.remedy) for rule in STAGE_RULES]
    assert all(description.endswith(".") and len(remedy) > 15 for description, remedy in words)


def test_the_pages_name_the_score_that_is_measured() -> None:
    found = scores()
    injected = sum(len(score.tried) for score in found)
    page = (PROJECT / "docs/how-to/keep-to-the-policies.md").read_text(encoding="utf-8")
    assert f"{len(found)} rules, {injected} injected violations, {ratio(found):.1%} caught" in page
    assert f"{injected:,} injected violations" in (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        {"api": {"min_instances": 40, "max_instances": 40}},
        {"budget": {"guardrails": {"worst_case_usd_per_month": 801}}},
    ],
    ids=["many warm instances", "a low limit"],
)
def test_a_stage_file_whose_estimate_breaks_a_guardrail_is_told_though_its_budget_is_waived(
    change: dict[str, object],
) -> None:
    stage = replace(shipped("stage-e"), config=configured("stage-e", change))
    budget = next(each for each in resources("stage-e") if each.type == BUDGET)
    found = of_resource(BY_NAME["cost-guardrails"], budget, stage)
    assert ["worst case" in v.fault for v in settle(found, stage, shipped_waivers()).violations] == [True]


def test_a_price_past_its_shelf_life_is_told_and_fails_nothing_but_the_policies_own_test() -> None:
    stage = shipped("stage-a", date(2030, 1, 1))
    budget = next(each for each in resources("stage-a") if each.type == BUDGET)
    found = of_resource(BY_NAME["prices-are-fresh"], budget, stage)
    assert found
    assert {violation.severity for violation in found} == {Severity.ADVISORY}
    assert not of_resource(BY_NAME["prices-are-fresh"], budget, shipped("stage-a"))


def test_what_only_the_provider_will_know_breaks_no_rule() -> None:
    unknown = ("image", "member", "networkInterfaces")
    for each in resources("stage-e"):
        inputs = {key: UNKNOWN if key in unknown[:2] else value for key, value in each.inputs.items()}
        seen = replace(each, inputs=inputs)
        found = [v for rule in RULES for v in of_resource(rule, seen, shipped("stage-e"))]
        assert not settle(found, shipped("stage-e"), shipped_waivers()).violations


def _waiver(**changes: object) -> dict[str, object]:
    written = {
        "rule": "tls-strict",
        "resource": "*",
        "fault": "flexible",
        "stages": ["stage-a"],
        "reason": "the origin gets its certificate in the next week of work",
        "since": "2026-11-26",
        "until": "2026-12-26",
    }
    return written | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"until": "2028-11-26"}, f"write an end within {LONGEST_DAYS} days"),
        ({"until": "2026-11-25"}, "write an end"),
        ({"reason": "because"}, "reason"),
        ({"stages": []}, "stages"),
        ({"until": None}, "until"),
        ({"forever": True}, "forever"),
    ],
)
def test_a_waiver_without_an_end_or_a_reason_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(str([_waiver(**changes)]).replace("None", "null").replace("True", "true"), encoding="utf-8")
    with pytest.raises(ConfigError, match=words) as refused:
        read_waivers(path)
    assert refused.value.where == "waivers.yaml › entry 1"


def test_a_waiver_covers_its_own_fault_only() -> None:
    waiver = Waiver.model_validate(_waiver())
    setting = next(r for r in resources("stage-a") if r.name == "dreamseed.example-ssl")
    for value, waived in (("flexible", 1), ("off", 0)):
        broken: Resource = replace(setting, inputs={**setting.inputs, "value": value})
        found = of_resource(BY_NAME["tls-strict"], broken, shipped("stage-a"))
        assert len(settle(found, shipped("stage-a"), [waiver]).waived) == waived
        assert not settle(found, shipped("stage-b"), [waiver]).waived
