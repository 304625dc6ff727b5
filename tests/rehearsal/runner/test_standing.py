from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rehearsal.runner import Project, Workspace
from rehearsal.runner.standing import create_stacks, exports
from rehearsal.toolchain import Toolchain, ToolchainError, ensure_engine
from tests.rehearsal.runner.offline import Behaviour, offline_providers
from tests.rehearsal.runner.test_rehearse import SAMPLE, digests


def standing(tmp_path: Path, passphrase: str = "sample") -> Workspace:  # noqa: S107 - opens nothing
    sample = Path(shutil.copytree(SAMPLE, tmp_path / "sample", ignore=shutil.ignore_patterns("__pycache__")))
    project = Project(directory=sample, stacks=("stage-a", "stage-b"), passphrase=passphrase)
    return Workspace(project, tmp_path / "standing place")


@pytest.mark.engine
def test_after_the_exports_a_plain_preview_works_and_leaves_the_files_alone(tmp_path: Path) -> None:
    workspace, toolchain = standing(tmp_path), ensure_engine()
    before = digests(workspace.project.directory)
    with offline_providers(Behaviour(), "random", "docker") as providers:
        assert create_stacks(workspace, toolchain, providers) == ["stage-a", "stage-b"]
        assert create_stacks(workspace, toolchain, providers) == []
        lines = exports(workspace, toolchain, providers)
        run = subprocess.run(
            ["/bin/sh", "-c", f"{lines}\npulumi preview --stack stage-b --non-interactive --color never"],
            cwd=workspace.project.directory,
            env={"PATH": os.defpath, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "+ 7 to create" in run.stdout
    assert digests(workspace.project.directory) == before
    assert list(workspace.backend.rglob("stage-a.json"))
    assert not list(workspace.backend.rglob("*.attrs")), (
        "a kill while one is written leaves a state that cannot be loaded"
    )


@pytest.mark.engine
def test_a_wrong_passphrase_says_what_to_set(tmp_path: Path) -> None:
    workspace = standing(tmp_path, passphrase="not it")
    with pytest.raises(ToolchainError, match=r"(?s)stage-a could not be created.*set PULUMI_CONFIG_PASSPHRASE"):
        create_stacks(workspace, ensure_engine(), {})


def test_the_users_own_engine_settings_do_not_reach_a_rehearsal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "a real one")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://example.com")
    workspace = standing(tmp_path)
    environment = workspace.environment(Toolchain(Path("p"), Path("/engine"), "3.259.0"), {"B2": "x"})
    assert "PULUMI_ACCESS_TOKEN" not in environment
    assert environment["PULUMI_BACKEND_URL"].startswith(f"file://{workspace.backend}?")
    assert environment["B2"] == "x"
    assert environment["PATH"].split(os.pathsep)[1] == "/engine"


def test_exports_survive_a_shell_whatever_is_in_them(tmp_path: Path) -> None:
    workspace = standing(tmp_path, passphrase="it's secret")
    lines = exports(workspace, Toolchain(Path("p"), Path("/engine"), "3.259.0"), {})
    command = f'{lines}\nprintf %s "$PULUMI_CONFIG_PASSPHRASE|$PULUMI_HOME"'
    run = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert run.stdout == f"it's secret|{workspace.home}"
