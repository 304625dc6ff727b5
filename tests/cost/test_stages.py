from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dreamseed.config.load import PROJECT_FILE
from dreamseed.cost import estimate
from dreamseed.cost.stages import named_stage
from dreamseed.errors import ConfigError
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import ROOT


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose first revision is the shipped stage B, and whose second keeps two instances warm."""
    git(tmp_path, "init", "-q")
    for name in (PROJECT_FILE, "Pulumi.stage-a.yaml", "Pulumi.stage-b.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one instance")
    path = tmp_path / "Pulumi.stage-b.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("min_instances: 1", "min_instances: 2"), encoding="utf-8")
    git(tmp_path, "commit", "-qam", "two instances")
    return tmp_path


def minimum(written: str, project: Path) -> int:
    return named_stage(written, project).plan().config.api.min_instances


def test_a_stage_is_named_by_its_name_or_by_its_file(project: Path) -> None:
    assert minimum("stage-b", project) == 2
    assert minimum(str(project / "Pulumi.stage-b.yaml"), project) == 2


def test_a_revision_is_read_as_it_was(project: Path) -> None:
    assert minimum("git:HEAD~1:stage-b", project) == 1
    assert minimum("git:HEAD:Pulumi.stage-b.yaml", project) == 2
    named = named_stage("git:HEAD~1:stage-b", project)
    assert named.name == "stage-b at HEAD~1"
    assert estimate(named.plan(), today=TODAY).total == shipped_estimate("stage-b").total


def test_a_revision_from_before_the_usage_was_declared_is_priced_with_todays(project: Path) -> None:
    path = project / PROJECT_FILE
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    del content["config"]["dreamseed:shared"]["value"]["usage"]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    stage = project / "Pulumi.stage-b.yaml"
    shipped = stage.read_text(encoding="utf-8")
    old = yaml.safe_load(shipped)
    del old["config"]["dreamseed:stage"]["usage"]
    stage.write_text(yaml.safe_dump(old), encoding="utf-8")
    git(project, "commit", "-qam", "as it was long ago")
    shutil.copy(ROOT / PROJECT_FILE, project)
    stage.write_text(shipped, encoding="utf-8")
    assert (
        named_stage("git:HEAD:stage-b", project).plan().config.usage
        == named_stage("stage-b", project).plan().config.usage
    )


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("stage-x", "there is no such stage"),
        ("no-such-file.yaml", "there is no such stage"),
        ("git:stage-b", "names no revision and stage"),
        ("git:--output=x:stage-b", "names no revision and stage"),
        ("git:no-such-branch:stage-b", "git has no"),
        ("git:HEAD:stage-e", "git has no"),
    ],
)
def test_a_stage_that_is_not_there_is_refused(written: str, what: str, project: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        named_stage(written, project)
    assert refused.value.what.startswith(what)
