from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from dreamseed.config import STAGE_NAMES
from dreamseed.errors import ConfigError
from dreamseed.planning.stage_plan import StagePlan
from localtier.tier import STACK, TIERS, Standing, Tier
from rehearsal.hosts import HostsError
from rehearsal.runner import Project
from rehearsal.runner.engine import Run
from rehearsal.runner.events import EventLog
from tests.program import PROJECT


class FakeEngine:
    """An engine that has its stack, or cannot make it, and whose runs succeed or not."""

    def __init__(self, *, succeeds: bool, has_stack: bool) -> None:
        self.succeeds = succeeds
        self.created = frozenset({STACK} if has_stack else ())

    @property
    def workspace(self) -> FakeEngine:
        return self

    def create_stack(self, name: str, like: str) -> Run:
        return Run(False, EventLog(), 0.0, ("no folder",), "")

    def refresh(self, *_: object) -> Run:
        return Run(self.succeeds, EventLog(), 1.0, () if self.succeeds else ("not looked",), "")

    def up(self, *_: object, **__: object) -> Run:
        return Run(self.succeeds, EventLog(), 1.0, () if self.succeeds else ("broken",), "")


class FakeTier(Tier):
    """A tier without hosts that says which stage's hosts were prepared."""

    succeeds = True
    has_stack = True

    @property
    def root(self) -> Path:
        return Path(self.folder)

    @property
    def prepared(self) -> list[str]:
        return (self.root / "prepared").read_text().split()

    def plan(self, stage: str) -> StagePlan:
        return cast(StagePlan, stage)

    def prepare(self, plan: StagePlan) -> Any:
        with (self.root / "prepared").open("a") as file:
            file.write(f"{plan}\n")

    @contextmanager
    def engine(self, plan: StagePlan, world: Any) -> Iterator[Any]:
        yield FakeEngine(succeeds=self.succeeds, has_stack=self.has_stack)


@pytest.fixture
def tier(tmp_path: Path) -> FakeTier:
    project = Project(directory=PROJECT, stacks=STAGE_NAMES, passphrase="rehearsal")
    return FakeTier(project, Console(), str(tmp_path))


def up(tier: FakeTier, *stages: str) -> None:
    for stage in stages:
        tier.up(stage, lambda _: None)


def test_a_stage_stands_once_its_up_succeeded(tier: FakeTier) -> None:
    up(tier, "stage-a", "stage-b")
    assert tier.standing == Standing(stage="stage-b", target="stage-b")
    assert tier.prepared == ["stage-a", "stage-b"]


def test_an_up_that_failed_or_was_killed_leaves_only_its_own_stage_to_come_next(tier: FakeTier) -> None:
    up(tier, "stage-a")
    tier.succeeds = False
    up(tier, "stage-b")
    assert tier.standing == Standing(stage="stage-a", target="stage-b")
    with pytest.raises(ConfigError, match="is not finished"):
        up(tier, "stage-a")


@pytest.mark.parametrize("stage", ["stage-a", "stage-d"])
def test_nothing_goes_down_or_skips_a_stage(stage: str, tier: FakeTier) -> None:
    up(tier, "stage-a", "stage-b")
    with pytest.raises(ConfigError, match="stage-b stands"):
        up(tier, stage)


@pytest.mark.parametrize("finished", [True, False])
def test_a_promotion_is_undone_with_the_hosts_of_the_larger_stage(finished: bool, tier: FakeTier) -> None:
    up(tier, "stage-a")
    tier.succeeds = finished
    up(tier, "stage-b")
    with tier.back_to("stage-a"):
        # Killed here, it is gone on with, and nothing takes it for the smaller stage.
        assert tier.standing == Standing(stage="stage-b", target="stage-a")
    with tier.back_to("stage-a"):
        tier.arrived("stage-a")
    assert tier.standing == Standing(stage="stage-a", target="stage-a")
    assert tier.prepared == ["stage-a", "stage-b", "stage-b", "stage-b"]


def test_a_stack_that_cannot_be_made_is_told_with_the_engines_words(tier: FakeTier) -> None:
    tier.has_stack = False
    with pytest.raises(HostsError, match="no folder"):
        up(tier, "stage-a")


def test_tiers_that_stand_beside_each_other_have_names_of_their_own() -> None:
    assert len(set(TIERS.values())) == len(TIERS)


def test_an_engine_that_cannot_look_at_what_runs_changes_nothing(tier: FakeTier) -> None:
    up(tier, "stage-a")
    assert tier.up("stage-a", lambda _: None, refresh=True).errors == ()
    tier.succeeds = False
    assert tier.up("stage-a", lambda _: None, refresh=True).errors == ("not looked",)
    assert tier.up("stage-a", lambda _: None).errors == ("broken",)
