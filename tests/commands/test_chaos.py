from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dreamseed.commands import chaos as command
from rehearsal.chaos.driver import Bench, Tried
from rehearsal.chaos.matrix import Batch, Step
from rehearsal.chaos.trials import Kind, Start
from rehearsal.providers.faults import FaultKind, Operation
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

    def begin_other(kind: Kind) -> Callable[[object, Start], Start]:
        return lambda _, at: replace(at, kind=kind, steps=(Step(Operation.READ, "vpc", VPC),))

    def try_batch(_: object, start: Start, batch: Batch, name: str) -> Tried:
        asked.append((name, batch))
        if "stage-d" in name:
            return Tried(batch.faults[1:], batch.faults[:1], 2, 1, ())
        return Tried(batch.faults, (), 2, 1, ("it is twice there",) if "stage-e" in name else ())

    monkeypatch.setattr(Bench, "begin", begin)
    monkeypatch.setattr(Bench, "begin_refresh", begin_other(Kind.REFRESH))
    monkeypatch.setattr(Bench, "begin_destroy", begin_other(Kind.DESTROY))
    monkeypatch.setattr(Bench, "try_batch", try_batch)
    monkeypatch.setattr(command, "ensure_engine", lambda: Toolchain(Path(), Path(), ""))
    return asked


def test_every_fault_that_was_met_and_brought_in_order_is_counted(tried: list[tuple[str, Batch]], folder: Path) -> None:
    result = invoke("--last", "stage-c", "--deaths", "0")
    assert result.exit_code == 0, result.output
    assert [name for name, _ in tried] == [
        "up-stage-c-batch-1",
        "up-stage-c-batch-2",
        "refresh-stage-c-batch-1",
        "destroy-stage-c-batch-1",
    ]
    assert not folder.exists()
    met = sum(len(batch.faults) for _, batch in tried)
    assert f"PASS: {met} of {met} faults met and brought in order by the runs after them, 0 never came" in result.output
    assert re.search(r"31 pairs are possible \(seed 1, \d+ min \d+ s\)", result.output)
    assert "in plain without a fault too: gcp:b/c:C outputs.labels.service" in result.output


def test_a_table_says_of_each_fault_how_many_of_the_possible_pairs_were_brought_in_order(
    tried: list[tuple[str, Batch]],
) -> None:
    result = invoke("--last", "stage-c", "--rounds", "0", "--deaths", "-1")
    table = result.output.partition("brought in order, of the pairs that are possible:\n")[2].splitlines()
    assert table[0].split("  ")[-3:] == ["up stage-c", " refresh stage-c", " destroy stage-c"]
    cells = {line[:22].strip(): line[22:].split() for line in table[1:15]}
    assert cells["error before"] == ["2", "of", "2", "1", "of", "1", "1", "of", "1"]
    assert cells["half made"] == ["1", "of", "1", "-", "-"]
    assert cells["reported gone"] == ["-", "1", "of", "1", "1", "of", "1"]
    assert cells["all"] == ["19", "of", "19", "6", "of", "6", "6", "of", "6"]
    assert sum(len(batch.faults) for _, batch in tried) == 31


def test_what_is_wrong_is_not_counted_as_brought_in_order(tried: list[tuple[str, Batch]]) -> None:
    result = invoke("--from", "stage-e", "--only", "up", "--deaths", "0")
    assert [name for name, _ in tried] == ["up-stage-e-batch-1", "up-stage-e-batch-2"]
    assert re.search(r"^  all +0 of 19$", result.output, flags=re.MULTILINE)


def test_only_what_is_asked_for_meets_the_kinds_that_are_asked_for(tried: list[tuple[str, Batch]]) -> None:
    arguments = ("--only", "refresh", "--only", "destroy", "--rounds", "0", "--kind", "reported gone")
    result = invoke("--last", "stage-c", *arguments, "--kind", "timeout", "--jobs", "2")
    assert result.exit_code == 0, result.output
    assert {name.partition("-")[0] for name, _ in tried} == {"refresh", "destroy"}
    kinds = Counter(fault.kind for _, batch in tried for fault in batch.faults)
    assert kinds == {FaultKind.REPORTED_GONE: 2, FaultKind.TIMEOUT: 2}


@pytest.mark.parametrize(("last", "told"), [("stage-d", "2 never came"), ("stage-e", "it is twice there")])
def test_a_fault_that_never_came_or_something_wrong_fails(
    tried: list[tuple[str, Batch]], folder: Path, last: str, told: str
) -> None:
    result = invoke("--last", last, "--deaths", "0", "--only", "up")
    assert result.exit_code == 1
    assert told in result.output
    assert "FAIL" in result.output
    assert str(folder) in result.output


@pytest.mark.parametrize("option", ["--last", "--from"])
def test_another_stage_is_refused_with_those_there_are(option: str) -> None:
    result = invoke(option, "stage-b")
    assert result.exit_code == 2
    assert "stage-c, stage-d, stage-e" in re.sub(r"[\s│]+", " ", result.output)


def test_a_first_stage_after_the_last_is_refused() -> None:
    result = invoke("--from", "stage-e", "--last", "stage-d")
    assert result.exit_code == 2
    assert "--from stage-e comes after --last stage-d" in re.sub(r"[\s│]+", " ", result.output)


def test_a_missing_engine_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Toolchain:
        raise ToolchainError("no engine", "build one")

    monkeypatch.setattr(command, "ensure_engine", refuse)
    result = invoke()
    assert result.exit_code == 1
    assert "no engine" in result.stderr
