from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.config import Stage
from dreamseed.journal import Event, read_journal
from playbook.made_up import PROJECT, MadeProject, make_project, now
from tests.promotion.previewing import preview_again
from tests.promotion.saga_world import STEPS

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("playbook")]


def command(root: Path, *arguments: str) -> Result:
    """Run the command within this process; what it raises stands in the result."""
    return CliRunner().invoke(build(), [*arguments, "--project", str(root)])


def kill(root: Path, step: str) -> None:
    """Run the promotion as a process that is killed with all its children in `step`."""
    program = [sys.executable, "-m", "playbook.killed", step, "0", "promote", "--to", "stage-b", "--gpu-installed"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        [*program, "--project", str(root)], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr


@dataclass(frozen=True)
class Promoted:
    """A promotion from A to B that was killed in every step, and a copy of it from before its end."""

    root: Path
    copy: Path
    last: Result


def sign(made: MadeProject) -> None:
    for role, name in (("cto", "kim"), ("cfo", "lee")):
        signed = command(made.root, "approve", "sign", "1", "--as", role, "--key", str(made.ring.key(name)))
        assert signed.exit_code == 0, signed.output


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with stage A, and a promotion to B that both have signed, and that was not begun."""
    made = make_project(tmp_path_factory.mktemp("promotion") / "project")
    made.record_met(Stage.A, now())
    plan = str(made.root / "build" / "plan.json")
    for arguments in (("promote", "--to", "stage-b"), ("approve", "prepare", "--to", "stage-b")):
        done = command(made.root, *arguments, "--plan", plan)
        assert done.exit_code == 0, done.output
    refused = command(made.root, "promote", "--to", "stage-b")
    assert "has no signature of cto" in str(refused.exception)
    sign(made)
    return made.root


def copied(root: Path, name: str) -> Path:
    return Path(shutil.copytree(root, root.parent / name, symlinks=True))


@pytest.fixture(scope="module")
def promoted(approved: Path) -> Promoted:
    root = copied(approved, "promoted")
    for step in STEPS:
        kill(root, step)
    copy = copied(root, "copy")
    return Promoted(root, copy, command(root, "promote", "--to", "stage-b", "--gpu-installed"))


def events(root: Path) -> list[tuple[str, Event]]:
    return [(entry.step, entry.event) for entry in read_journal(root / "promotions" / "0001-a-to-b.jsonl")]


def test_a_dry_run_says_what_would_be_done_and_that_it_may_begin(approved: Path) -> None:
    dry = command(copied(approved, "dry"), "promote", "--to", "stage-b", "--dry-run")
    lines = dry.output.splitlines()
    assert [line[:2] for line in lines[:7]] == [f"{number}." for number in range(1, 8)]
    assert lines[1] == "2. install the GPUs: 1 in server-1: would be done and verified"
    assert re.fullmatch(r"the engine: \d+ create, \d+ replace, \d+ update", lines[7])
    assert lines[8] == "it may begin, by approval 0001"


def test_it_restores_the_backup_and_waits_for_the_gpu(approved: Path) -> None:
    root = copied(approved, "waiting")
    waited = command(root, "promote", "--to", "stage-b")
    assert "restored into an empty place: 1000 rows, all alike" in waited.output
    assert ("gpu-install", Event.WAITING) in events(root)


def test_killed_in_each_of_its_steps_it_ends_with_the_next_stage_standing(promoted: Promoted) -> None:
    assert promoted.last.exit_code == 0, promoted.last.output
    assert promoted.last.output.splitlines()[-1].startswith("stage-b stands: 10,000 sign-ups")
    verified = [step for step, event in events(promoted.root) if event is Event.VERIFIED]
    assert verified == list(STEPS)
    assert events(promoted.root)[-1] == ("", Event.FINISHED)
    assert not (promoted.root / "build" / "promotion" / "silence.json").exists()


def test_what_was_done_is_verified_with_what_stands(promoted: Promoted) -> None:
    told = {
        entry.step: entry.detail["told"]
        for entry in read_journal(promoted.root / "promotions" / "0001-a-to-b.jsonl")
        if entry.event is Event.VERIFIED
    }
    assert told["gpu-seen"] == "server-1: 2"
    assert told["vllm"] == "server-1-vllm-1 tp2"
    assert told["api-bounds"] == "1 to 8 instances"
    assert told["thresholds"].startswith("the rules of prometheus are those of stage-b")
    assert told["load-test"].startswith("computed, not played")


def test_after_it_the_engine_finds_nothing_left_to_do(promoted: Promoted) -> None:
    assert preview_again(promoted.root).changes == ()


def test_a_finished_promotion_is_not_carried_out_again_and_none_is_skipped(promoted: Promoted) -> None:
    again = command(promoted.root, "promote", "--to", "stage-b")
    skipping = command(promoted.root, "promote", "--to", "stage-d")
    assert "stage-b stands" in str(again.exception)
    assert "none is ever skipped" in str(skipping.exception)


def test_rolled_back_the_stage_before_stands_and_what_holds_data_is_kept(promoted: Promoted) -> None:
    back = command(promoted.copy, "promote", "--to", "stage-b", "--roll-back")
    assert back.exit_code == 0, back.output
    assert (
        "stage-a is up again; kept, for a person to decide: dreamseed.example, grafana-data, redis-1-data"
        in back.output
    )
    assert back.output.splitlines()[-1] == "stage-a stands again"
    assert events(promoted.copy)[-1] == ("", Event.ROLLED_BACK)
    again = command(promoted.copy, "promote", "--to", "stage-b")
    assert again.exit_code == 1
