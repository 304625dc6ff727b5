from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed.commands import providers
from rehearsal.runner import Project
from tests.rehearsal.runner.test_rehearse import SAMPLE

runner = CliRunner()


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runner's sample as the project, and a cache of its own beside the engine's."""
    project = Project(directory=SAMPLE, stacks=("stage-a",), passphrase="sample")
    monkeypatch.setattr(providers, "rehearsed_project", lambda: project)
    monkeypatch.setattr(providers, "cache_root", lambda: tmp_path)
    return SAMPLE


@pytest.mark.engine
def test_what_start_prints_makes_a_plain_preview_work_until_stop(sample: Path, tmp_path: Path) -> None:
    started = runner.invoke(providers.app, ["start", "--judge", "tables"])
    try:
        assert started.exit_code == 0, started.output
        assert "judge of docker: tables\n" in started.stderr
        another = runner.invoke(providers.app, ["start", "--judge", "auto"])
        assert another.exit_code == 1
        assert (
            "the providers run already, with --judge tables\n  what to do: dreamseed providers stop" in another.stderr
        )
        assert runner.invoke(providers.app, ["start"]).exit_code == 0
        assert runner.invoke(providers.app, ["env"]).stdout == started.stdout
        script = f"{started.stdout}\npulumi preview --stack stage-a --non-interactive --color never"
        run = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=sample,
            env={"PATH": os.defpath, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "+ 5 to create" in run.stdout
    finally:
        stopped = runner.invoke(providers.app, ["stop", "--forget"])
    assert stopped.exit_code == 0
    assert list(tmp_path.glob("providers-*")) == []


def test_official_judges_that_are_missing_are_named_before_anything_is_started(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    result = runner.invoke(providers.app, ["start", "--judge", "official"])
    assert result.exit_code == 1
    assert "pulumi plugin install resource docker" in result.stderr
    assert list(tmp_path.glob("providers-*")) == []


def test_env_without_start_says_what_to_run(sample: Path) -> None:
    result = runner.invoke(providers.app, ["env"])
    assert result.exit_code == 1
    assert "what to do: dreamseed providers start" in result.stderr


def test_stopping_what_does_not_run_is_no_error(sample: Path) -> None:
    assert runner.invoke(providers.app, ["stop"]).exit_code == 0
