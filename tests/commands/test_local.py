from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from dreamseed.commands import local as command
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import Finding
from localtier.k6 import K6Failed, K6Result
from localtier.k6.run import Requests
from localtier.tier import Standing
from rehearsal.runner.engine import Run
from rehearsal.runner.events import EventLog
from tests.planning.stages import shipped

WIDE = {"COLUMNS": "200"}
SEEN = Requests(count=9, failure_ratio=0, p50_ms=1, p95_ms=2, p99_ms=3)
PLAYED = K6Result(users=3, seconds=60, api=SEEN, generation=SEEN, wrong_answers=0, missed=())


class Tier:
    """A tier of which `standing` stands and whose checks find `findings`."""

    standing: Standing | None = None
    findings: Sequence[Finding] = ()
    options: ClassVar[list[object]] = []

    def __init__(self, project: object, console: Console) -> None:
        pass

    def plan(self, stage: str) -> StagePlan:
        return shipped(stage)

    def check(self, plan: StagePlan, *_: object) -> Sequence[Finding]:
        return self.findings

    def up(self, stage: str, _: object, **options: object) -> Run:
        self.options.append(options)
        return Run(True, EventLog(), 1.0, (), "")

    @contextmanager
    def engines(self, _: object) -> Iterator[dict[str, Any]]:
        yield {}


@pytest.fixture(autouse=True)
def tier(monkeypatch: pytest.MonkeyPatch) -> type[Tier]:
    """Stage B stands, and everything is as planned."""
    monkeypatch.setattr(command, "Tier", Tier)
    monkeypatch.setattr(Tier, "standing", Standing(stage="stage-b", target="stage-b"))
    monkeypatch.setattr(Tier, "findings", [Finding(what="redis", ok=True)])
    return Tier


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command.app, list(arguments), env=WIDE)


def playing(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[tuple[str, float, float]]:
    """Let k6 see something else than usual; return what it is asked."""
    asked: list[tuple[str, float, float]] = []

    def play(_: object, plan: StagePlan, share: float, seconds: float) -> K6Result:
        asked.append((plan.name, share, seconds))
        return K6Result(**{**vars(PLAYED), **changes})

    monkeypatch.setattr(command, "play", play)
    return asked


def test_users_of_the_stage_that_stands_are_played_and_what_they_saw_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = playing(monkeypatch)
    result = invoke("load", "--share", "0.5", "--seconds", "10")
    assert result.exit_code == 0
    assert asked == [("stage-b", 0.5, 10)]
    assert "every objective met" in result.output


@pytest.mark.parametrize(
    "changes",
    [
        {"missed": ("p(95)<300",)},
        {"wrong_answers": 1},
        {"generation": Requests(count=0, failure_ratio=0, p50_ms=None, p95_ms=None, p99_ms=None)},
    ],
    ids=["a missed objective", "a wrong answer", "no generation"],
)
def test_a_load_that_does_not_pass_ends_with_1(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    playing(monkeypatch, **changes)
    assert invoke("load").exit_code == 1


def test_a_load_that_could_not_be_played_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(*_: object) -> K6Result:
        raise K6Failed("k6 ended with 104: wrong options")

    monkeypatch.setattr(command, "play", play)
    result = invoke("load")
    assert result.exit_code == 1
    assert "ended with 104" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("job", ["load", "check", "promote"])
def test_where_nothing_stands_the_way_to_begin_is_named(job: str, tier: type[Tier]) -> None:
    tier.standing = None
    result = invoke(job)
    assert result.exit_code == 1
    assert "make local STAGE=stage-a" in result.output


def test_a_check_that_fails_ends_with_1_and_is_named(tier: type[Tier]) -> None:
    assert invoke("check").exit_code == 0
    tier.findings = [Finding(what="redis", ok=True), Finding(what="kafka", ok=False, detail="2 of 3 [in sync]")]
    result = invoke("check")
    assert result.exit_code == 1
    assert "✗ kafka: 2 of 3 [in sync]" in result.output
    assert "1 of 2 checks passed" in result.output


def test_a_container_that_was_removed_by_hand_is_told_with_the_way_to_put_it_right(
    tier: type[Tier], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "window", lambda *_: nullcontext())
    result = invoke("up", "stage-b")
    assert (result.exit_code, tier.options.pop()) == (0, {"refresh": False})
    assert "stage-b stands after" in result.output
    tier.findings = [Finding(what="containers of server-1", ok=False, detail="cache-1 does not exist")]
    result = invoke("up", "stage-b", "--refresh")
    assert (result.exit_code, tier.options.pop()) == (1, {"refresh": True})
    assert "✗ containers of server-1: cache-1 does not exist" in result.output
    assert "make local STAGE=stage-b ARGS=--refresh" in result.output
    assert "stands" not in result.output


def test_a_stage_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = invoke("up", "stage-f")
    assert result.exit_code == 2
    assert "stage-e" in result.output


@pytest.mark.parametrize(
    ("stands", "target", "brought"),
    [("stage-b", "stage-b", "stage-c"), ("stage-b", "stage-c", "stage-c"), ("stage-d", "stage-e", "stage-e")],
)
def test_a_promotion_goes_one_stage_up_or_finishes_the_one_that_was_begun(
    stands: str, target: str, brought: str, tier: type[Tier], monkeypatch: pytest.MonkeyPatch
) -> None:
    ups: list[str] = []
    monkeypatch.setattr(command, "up", ups.append)
    tier.standing = Standing(stage=stands, target=target)
    assert invoke("promote").exit_code == 0
    assert ups == [brought]


def test_there_is_no_promotion_above_the_last_stage(tier: type[Tier], monkeypatch: pytest.MonkeyPatch) -> None:
    ups: list[str] = []
    monkeypatch.setattr(command, "up", ups.append)
    tier.standing = Standing(stage="stage-e", target="stage-e")
    assert invoke("promote").exit_code == 1
    assert ups == []
