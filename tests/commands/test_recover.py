from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dreamseed.commands import recover as command
from dreamseed.commands import standing
from rehearsal.providers.faults import Fault, FaultKind, Operation, write_plan
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project, Workspace
from rehearsal.runner.engine import Engine
from rehearsal.runner.recovery import Creation, Identity, Recovery
from rehearsal.toolchain import ensure_engine
from tests.rehearsal.providers.given import CONTAINER, RECORD

SAMPLE = Path(__file__).parents[1] / "rehearsal" / "chaos" / "sample"
STACK = "production"


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.recover)
    return CliRunner().invoke(app, ["--stack", STACK, "--config-file", str(SAMPLE / "Pulumi.two.yaml"), *arguments])


def creation(token: str, name: str) -> Creation:
    return Creation(f"urn:pulumi:production::sample::{token}::{name}", token, {}, None, "")


def test_what_a_cloud_numbers_is_named_until_a_person_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    left = (creation(RECORD, "api"), creation("docker:index/volume:Volume", "data"))
    monkeypatch.setattr(command, "recover_stack", lambda *_, **__: Recovery(("urn::vpc",), ("urn::nat",), left))
    open_question = invoke()
    assert open_question.exit_code == 1
    assert "recorded now: 1\n  urn::vpc" in open_question.output
    assert "not there, the next up makes it: 1\n  urn::nat" in open_question.output
    assert "numbered by their clouds: 1." in open_question.output
    assert invoke("--id", "api=").exit_code == 0


def test_an_id_that_a_person_gives_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Identity | None] = []

    def recovered(_: object, __: str, ___: str, identify: object, **____: object) -> Recovery:
        assert callable(identify)
        used.extend(identify(creation(token, name)) for token, name in ((RECORD, "api"), (CONTAINER, "redis")))
        return Recovery((), (), ())

    monkeypatch.setattr(command, "recover_stack", recovered)
    assert invoke("--id", "api=0123/4567").exit_code == 0
    assert used == [Identity("0123/4567"), None]


@pytest.mark.parametrize("wrong", ["api", "=0123"])
def test_an_id_without_a_name_is_refused(wrong: str) -> None:
    result = invoke("--id", wrong)
    assert result.exit_code == 2
    assert "NAME=ID" in result.output


def test_ids_of_a_copy_need_a_worksheet() -> None:
    result = invoke("--ids-from", str(SAMPLE / "Pulumi.two.yaml"))
    assert result.exit_code == 2
    assert "--worksheet FILE" in result.output


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A stack whose `up` lost the answer to the creation of a secret."""
    project = Project(directory=SAMPLE, stacks=("one", "two"), passphrase="sample")
    urn = f"urn:pulumi:{STACK}::chaos-sample::gcp:secretmanager/secret:Secret::password"
    write_plan(tmp_path / "cloud", [Fault(Operation.CREATE, urn, FaultKind.ERROR_AFTER)])
    workspace = Workspace(project, tmp_path / "engine")
    workspace.prepare()
    with ProviderHost(tmp_path / "cloud") as host:
        environment = workspace.environment(ensure_engine(), host.environment())
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(standing, "rehearsed_project", lambda: project)
        monkeypatch.setattr(command, "PAUSE_SECONDS", 0.0)
        made = Engine(ensure_engine(), workspace, environment)
        assert made.create_stack(STACK, like="one").succeeded
        yield made


@pytest.mark.engine
@pytest.mark.xdist_group("chaos")
def test_a_lost_answer_is_recovered_and_the_next_up_goes_on(engine: Engine) -> None:
    assert "the answer was lost" in "".join(engine.up(STACK, "two", lambda _: None).errors)
    lost = invoke("--id", "alerts=", "--id", "cache=", "--id", "password=")
    assert lost.exit_code == 0, lost.output
    assert "recorded now: 1" in lost.output
    assert "secret:Secret::password" in lost.output
    finished = engine.up(STACK, "two", lambda _: None)
    assert finished.errors == ()
