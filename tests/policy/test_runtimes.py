"""The same broken program, judged by the functions and by the real engine with the pack: the same violations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from dreamseed.commands.rehearse import rehearsed_project, traits
from policy.judge import judge
from policy.rules import RULES, STAGE_RULES
from policy.waivers import shipped_waivers
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Setting
from rehearsal.runner.engine import Run
from rehearsal.toolchain import ensure_engine
from tests.policy import breaking
from tests.policy.breaking import INJECTED, PROJECT
from tests.policy.recorded import resources, shipped

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("policy")]
PROGRAM = Path(breaking.__file__)
STAGE = "stage-e"
NEED_MORE_THAN_AN_INPUT = {
    "cost-guardrails",
    "prices-are-fresh",
    "recovery-where-demanded",
    "spending-is-watched",
    "no-long-lived-keys",
}
"""Broken by the stage file, or by what is missing: held by the score alone."""


@cache
def judged() -> frozenset[tuple[str, str, str]]:
    found = judge(resources(STAGE, PROGRAM), shipped(STAGE), shipped_waivers()).violations
    return frozenset((violation.rule, violation.resource, str(violation)) for violation in found)


@pytest.fixture(scope="module")
def broken_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the real engine's preview of the broken program with the pack."""
    folder = tmp_path_factory.mktemp("broken")
    with ProviderHost(folder / "cloud") as host:
        setting = Setting(
            project=rehearsed_project().running(PROGRAM, folder),
            toolchain=ensure_engine(),
            workspace=folder / "workspace",
            providers=host.environment(),
            classify=traits,
            policy_pack=PROJECT / "policy",
        )
        engine = setting.engine("previews")
        assert engine.create_stack(STAGE, like=STAGE).succeeded
        return engine.preview(STAGE, STAGE, lambda _: None)


def test_the_broken_program_breaks_every_rule_that_an_input_can_break() -> None:
    every = {rule.name for rule in RULES} | {rule.name for rule in STAGE_RULES}
    assert {rule for rule, _, _ in judged()} == set(INJECTED)
    assert set(INJECTED) | NEED_MORE_THAN_AN_INPUT == every


def test_the_engine_with_the_pack_finds_what_the_functions_find(broken_run: Run) -> None:
    assert not broken_run.succeeded
    told = {
        (broken.rule, broken.urn.rsplit("::", 1)[-1] or "the stage", broken.message.split("\n")[-1].strip())
        for broken in broken_run.events.broken
    }
    assert told == judged(), broken_run.errors
