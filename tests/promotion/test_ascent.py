from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from dreamseed.config import Stage
from dreamseed.journal import Event, Journal
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import Finding
from localtier.experiments.climb import Step
from localtier.experiments.users import Users
from localtier.load.report import LoadReport
from localtier.tier import Tier
from playbook import ascent, state
from playbook.ascent import DRAWN_TYPE, KILLS, PlaybookAscent, Promotion, inventory
from playbook.made_up import Keyring, MadeProject
from tests.promotion.saga_world import NOW, STEPS, plan_of

STEP = Step(
    before="stage-a",
    stage="stage-b",
    checks=36,
    faults=(),
    changed_again=(),
    engine_seconds=50.0,
    whole_seconds=120.0,
    memory_mib=500.0,
    users=None,
)
PROMOTION = Promotion(
    step=STEP, seconds={"back-up": 4.0}, told={}, killed_in=("back-up",), inventory={"urn:a": "1", "urn:b": "2"}
)


@dataclass(frozen=True)
class FakeTier:
    folder: str = "promotion"

    def plan(self, stage: str) -> StagePlan:
        return plan_of(Stage(stage[-1].upper()))


class FakeUsers:
    def load(self, plan: object) -> None:
        return None


def made(tmp_path: Path, kills: Mapping[str, float] = KILLS) -> PlaybookAscent:
    console = Console(file=StringIO(), width=200)
    stages = ("stage-a", "stage-b")
    return PlaybookAscent(tier=cast(Tier, FakeTier()), stages=stages, folder=tmp_path, console=console, kills=kills)


def promote(one: PlaybookAscent, tmp_path: Path, status: int, struck: str) -> list[list[str]]:
    """Promote with commands that end with `status`, having begun the step `struck` in the journal."""
    journal = Journal(tmp_path / "promotions" / "0001-a-to-b.jsonl", lambda: NOW)
    ran: list[list[str]] = []

    def run(project: MadeProject, command: list[str]) -> int:
        ran.append(command)
        journal.note(Event.BEGUN, struck or command[3])
        return status

    one._run = run  # type: ignore[method-assign,assignment]
    project = MadeProject(tmp_path, Keyring(tmp_path))
    one._promote(cast(Users, FakeUsers()), project, 1, "stage-a", "stage-b")
    return ran


def test_everything_is_killed_once_in_each_of_the_seven_steps() -> None:
    assert tuple(KILLS) == STEPS


@pytest.mark.parametrize(("status", "struck"), [(0, "back-up"), (1, "back-up"), (-signal.SIGKILL, "vllm")])
def test_a_kill_that_did_not_strike_its_step_is_a_finding(status: int, struck: str, tmp_path: Path) -> None:
    one = made(tmp_path)
    ran = promote(one, tmp_path, status, struck)
    assert len(ran) == 1
    assert one.problems == [f"0001-a-to-b: not killed in back-up: it ended with {status}, {struck} begun"]


def test_the_commands_are_the_real_ones_with_a_stated_share_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made(tmp_path)
    monkeypatch.setattr(PlaybookAscent, "_step", lambda *_: STEP)
    monkeypatch.setattr(ascent, "inventory", lambda _: {})
    monkeypatch.setattr(state, "resources", lambda *_: [])
    monkeypatch.setattr(FakeTier, "root", tmp_path, raising=False)
    ran = promote(one, tmp_path, -signal.SIGKILL, "")
    assert [words[3] for words in ran[:-1]] == list(STEPS)
    assert ran[-1][1:6] == ["promote", "--to", "stage-b", "--local", "--tier"]
    assert ran[-1][ran[-1].index("--load-share") + 1] == "0.04"
    (done,) = one.done
    assert done.killed_in == STEPS
    assert one.problems == [f"dreamseed promote --to stage-b ended with {-signal.SIGKILL}"]


def test_a_drawn_part_of_a_name_makes_no_other_end_state_and_any_other_change_does() -> None:
    def ended(drawn: str, size: int) -> dict[str, str]:
        suffix = {"urn": "urn::suffix", "type": DRAWN_TYPE, "inputs": {"byteLength": 3}, "outputs": {"hex": drawn}}
        inputs = {"name": f"recovery-{drawn}", "flags": [{"url": f"https://example.com/{drawn}/x"}], "size": size}
        return inventory([suffix, {"urn": "urn::database", "type": "gcp:sql/x:X", "inputs": inputs}])

    assert ended("a1b2c3", 10) == ended("d4e5f6", 10)
    assert ended("a1b2c3", 10)["urn::database"] != ended("a1b2c3", 20)["urn::database"]


def test_another_end_state_than_that_of_the_run_without_kills_is_a_finding(tmp_path: Path) -> None:
    one = made(tmp_path)
    one.done = [PROMOTION]
    written = tmp_path / "clean.json"
    written.write_text(json.dumps(one.found))
    one.compare(written)
    assert one.problems == []
    content: dict[str, Any] = json.loads(written.read_text())
    content["inventories"]["stage-b"] = {"urn:a": "1", "urn::c": "2"}
    written.write_text(json.dumps(content))
    one.compare(written)
    assert one.problems == [f"stage-a → stage-b: another end state than in {written}: c, urn:b"]


def test_a_run_that_was_not_compared_with_every_stage_is_not_the_same(tmp_path: Path) -> None:
    one = made(tmp_path)
    written = tmp_path / "clean.json"
    written.write_text(json.dumps(one.found))
    one.done = [replace(PROMOTION, inventory={"urn::a": "1"})]
    one.compare(written)
    assert len(one.problems) == 1


def test_the_table_has_the_seconds_of_each_step(tmp_path: Path) -> None:
    one = made(tmp_path)
    one.done = [PROMOTION]
    one.show()
    shown = one.console.file.getvalue()  # type: ignore[attr-defined]
    assert "4.0" in shown
    assert "PASS: 1 promotions by the playbook, 1 kills, nothing acknowledged was lost" in shown


WHOLE = Finding(what="postgres", ok=True, detail="leads")
FIGURES = LoadReport(clients=())


def undo(
    one: PlaybookAscent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Event, found: Finding = WHOLE
) -> None:
    """Undo a promotion whose journal ends with `end`, on a tier of which the checks find `found`."""
    journal = Journal(tmp_path / "promotions" / "0001-a-to-b.jsonl", lambda: NOW)
    ran: list[list[str]] = []

    def run(project: MadeProject, command: list[str]) -> int:
        ran.append(command)
        if "--roll-back" not in command:
            journal.note(Event.BEGUN, "load-test")
            return -signal.SIGKILL
        journal.note(Event.UNDONE, "vllm", told="stage-a is up again; kept, for a person to decide: cache")
        journal.note(end)
        return 0

    load = SimpleNamespace(figures=lambda *_: FIGURES, verify=lambda: FIGURES)
    monkeypatch.setattr(FakeTier, "check", lambda *_: [found], raising=False)
    monkeypatch.setattr(FakeTier, "world", lambda *_: None, raising=False)
    monkeypatch.setattr(ascent, "ask_outside", lambda *_: [])
    one._run = run  # type: ignore[method-assign,assignment]
    users = cast(Users, SimpleNamespace(load=lambda _: load))
    one._undo(users, MadeProject(tmp_path, Keyring(tmp_path)), 1, "stage-a", "stage-b")
    assert [words[2 if "playbook.killed" in words else 1] for words in ran] == ["playbook.killed", "promote"]
    assert ran[0][3] == "load-test"
    assert ran[1][-1] == "--roll-back"


def test_a_promotion_is_undone_in_its_last_step_and_what_was_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made(tmp_path)
    undo(one, tmp_path, monkeypatch, Event.ROLLED_BACK)
    assert one.problems == []
    (back,) = one.undone
    assert (back.name, back.checks) == ("stage-b → stage-a", 1)
    assert "kept, for a person to decide: cache" in back.words


@pytest.mark.parametrize(
    ("end", "found", "problem"),
    [
        (Event.UNSILENCED, WHOLE, "stage-b → stage-a: the journal ends with  unsilenced"),
        (Event.ROLLED_BACK, replace(WHOLE, ok=False), "stage-b → stage-a: postgres: leads"),
    ],
)
def test_a_way_back_that_did_not_end_or_left_a_stage_that_is_not_whole_is_a_finding(
    end: Event, found: Finding, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made(tmp_path)
    undo(one, tmp_path, monkeypatch, end, found)
    assert one.problems == [problem]
