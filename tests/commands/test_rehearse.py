from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dreamseed.commands import rehearse as command
from rehearsal.runner import Failure, Project, Rehearsal, Resource, Setting
from rehearsal.runner.engine import Run
from rehearsal.runner.events import EventLog
from rehearsal.tables.facts import PACKAGES
from rehearsal.toolchain import Toolchain, ToolchainError

PASSED = Rehearsal((), (), 0, (), 1.0)
FAILED = Rehearsal((), (), 0, (Failure("stage-b", "preview", "no image", "write one"),), 1.0)


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.rehearse)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an engine nor providers: what the command makes of their answers is tested here."""

    @contextmanager
    def setting(*_: object) -> Iterator[Setting]:
        project = Project(directory=tmp_path, stacks=(), passphrase="")
        toolchain, judges = Toolchain(Path(), Path(), ""), {"docker": "tables"}
        yield Setting(project=project, toolchain=toolchain, workspace=tmp_path, providers={}, judges=judges)

    monkeypatch.setattr(command, "_setting", setting)


@pytest.mark.parametrize(("outcome", "status"), [(PASSED, 0), (FAILED, 1)])
def test_the_exit_status_and_the_last_line_are_the_verdict(
    outcome: Rehearsal, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "rehearse_project", lambda *_: outcome)
    result = invoke()
    assert result.exit_code == status
    assert result.output.splitlines()[-1].startswith("FAIL" if status else "PASS")


def test_the_outcome_is_written_for_machines_when_it_failed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "rehearse_project", lambda *_: FAILED)
    assert invoke("--json", str(tmp_path / "out.json")).exit_code == 1
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["verdict"], found["failures"][0]["message"]) == ("fail", "no image")
    assert found["judges"] == {"docker": "tables"}


@pytest.mark.parametrize("errors", [(), ("data: is refused",)])
def test_one_stage_shows_its_diff_and_what_the_engine_said(
    errors: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(not errors, EventLog(), 1.0, errors, "+ [docker] a diff: (create)")
    monkeypatch.setattr(command, "preview_with_diff", lambda *_: run)
    result = invoke("--stage", "stage-c")
    assert result.exit_code == len(errors)
    assert "+ [docker] a diff: (create)" in result.output
    assert ("data: is refused" in result.output) is bool(errors)


def test_a_stage_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = invoke("--stage", "stage-f")
    assert result.exit_code == 2
    assert "stage-e" in result.output


def test_official_judges_that_are_missing_are_named_with_the_commands_that_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(command, "rehearse_project", lambda *_: PASSED)
    result = invoke("--judge", "official")
    assert result.exit_code == 1
    assert all(f"pulumi plugin install resource {package} " in result.output for package in PACKAGES)
    assert invoke("--judge", "auto").exit_code == invoke().exit_code == 0


def test_an_engine_that_cannot_be_had_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> Rehearsal:
        raise ToolchainError("building failed", "check the network")

    monkeypatch.setattr(command, "rehearse_project", no_network)
    result = invoke()
    assert result.exit_code == 1
    assert "what to do: check the network" in result.output


def test_a_passphrase_of_the_environment_comes_before_the_rehearsals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(command.PASSPHRASE_VARIABLE, raising=False)
    assert command.rehearsed_project().passphrase == "rehearsal"
    monkeypatch.setenv(command.PASSPHRASE_VARIABLE, "my own")
    assert command.rehearsed_project().passphrase == "my own"


def test_what_the_engine_protects_is_stateful_whatever_its_type() -> None:
    resource = Resource("urn:pulumi:x::x::a:b:C::name", "a:b:C", ("store",), {}, protected=True)
    traits = command.traits(resource)
    assert (traits.component, traits.stateful) == ("store", True)
