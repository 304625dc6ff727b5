from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dreamseed.commands import chaos as command
from rehearsal.chaos.driver import Bench, Start, Tried
from rehearsal.chaos.matrix import Batch, Step
from rehearsal.providers.faults import Operation
from rehearsal.toolchain import Toolchain, ToolchainError
from tests.rehearsal.providers.given import VPC

STEPS = (Step(Operation.CREATE, "vpc", VPC), Step(Operation.DELETE, "vpc", VPC))


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.chaos)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command puts what it tries."""
    made = tmp_path / "chaos"

    def make(prefix: str) -> str:
        made.mkdir()
        return str(made)

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    return made


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Batch]]:
    """What the command asks to be tried; in a batch named as WRONG something is wrong, in NEVER one never comes."""
    asked: list[tuple[str, Batch]] = []

    def begin(_: object, stage: str, after: Start | None) -> tuple[Start, Start]:
        place = "urn:pulumi:chaos::p::a$gcp:b/c:C::name outputs.labels.service"
        start = Start(stage=stage, folder=Path(), steps=STEPS, objects=Counter(), public=frozenset({place}))
        return start, start

    def try_batch(_: object, start: Start, batch: Batch, name: str) -> Tried:
        asked.append((name, batch))
        if "stage-d" in name:
            return Tried(batch.faults[1:], batch.faults[:1], 2, 1, ())
        return Tried(batch.faults, (), 2, 1, ("it is twice there",) if "stage-e" in name else ())

    monkeypatch.setattr(Bench, "begin", begin)
    monkeypatch.setattr(Bench, "try_batch", try_batch)
    monkeypatch.setattr(command, "ensure_engine", lambda: Toolchain(Path(), Path(), ""))
    return asked


def test_every_fault_that_was_met_and_brought_in_order_is_counted(tried: list[tuple[str, Batch]], folder: Path) -> None:
    result = invoke("--last", "stage-c", "--deaths", "1")
    assert result.exit_code == 0, result.output
    assert [name for name, _ in tried] == ["stage-c-batch-1", "stage-c-batch-2"]
    assert not folder.exists()
    met = sum(len(batch.faults) for _, batch in tried)
    assert f"PASS: {met} of {met} faults met and brought in order by the runs after them, 0 never came" in result.output
    assert "19 pairs are possible (seed 1)" in result.output
    assert "in plain without a fault too: gcp:b/c:C outputs.labels.service" in result.output


@pytest.mark.parametrize(("last", "told"), [("stage-d", "1 never came"), ("stage-e", "it is twice there")])
def test_a_fault_that_never_came_or_something_wrong_fails(
    tried: list[tuple[str, Batch]], folder: Path, last: str, told: str
) -> None:
    result = invoke("--last", last, "--deaths", "0")
    assert result.exit_code == 1
    assert told in result.output
    assert "FAIL" in result.output
    assert str(folder) in result.output


def test_another_stage_is_refused_with_those_there_are() -> None:
    result = invoke("--last", "stage-b")
    assert result.exit_code == 2
    assert "stage-c, stage-d, stage-e" in re.sub(r"[\s│]+", " ", result.output)


def test_a_missing_engine_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Toolchain:
        raise ToolchainError("no engine", "build one")

    monkeypatch.setattr(command, "ensure_engine", refuse)
    result = invoke()
    assert result.exit_code == 1
    assert "no engine" in result.stderr
