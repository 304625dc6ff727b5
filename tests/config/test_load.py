from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES, find_project, load_stage, stage_file
from dreamseed.config.types import Stage
from dreamseed.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for file in (ROOT / "Pulumi.yaml", *(stage_file(ROOT, name) for name in STAGE_NAMES)):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "stage"), list(zip(STAGE_NAMES, Stage, strict=True)))
def test_each_shipped_file_is_the_stage_that_it_is_named_after(name: str, stage: Stage) -> None:
    assert load_stage(stage_file(ROOT, name)).service.stage is stage


def test_the_project_is_found_from_a_folder_below_it(project: Path) -> None:
    below = project / "docs" / "reference"
    below.mkdir(parents=True)
    assert find_project(below) == project.resolve()


def test_outside_a_project_the_message_says_where_to_call(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_project(tmp_path)
    assert caught.value.what == "there is no Pulumi.yaml here or above"
    assert caught.value.remedy == "the command in the project's folder, or --project FOLDER"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("config: [", "Pulumi.stage-x.yaml, line 2", "is not YAML (did not find expected node content"),
        ("- 1\n", "Pulumi.stage-x.yaml", "holds no mapping"),
        ("", "Pulumi.stage-x.yaml", "holds no mapping"),
        ("config: {}\n", "Pulumi.stage-x.yaml › config › dreamseed:stage", "is missing"),
        ("config: {'dreamseed:stage': 3}\n", "Pulumi.stage-x.yaml › config › dreamseed:stage", "is missing"),
        ("until: 2027-02-30\n", "Pulumi.stage-x.yaml", "is not YAML (day is out of range for month"),
        (
            "config: {a: 1}\nconfig: {b: 2}\n",
            "Pulumi.stage-x.yaml, line 2",
            "is not YAML (the key 'config' stands twice",
        ),
    ],
)
def test_a_file_that_is_no_stage_file_is_refused(project: Path, text: str, where: str, what: str) -> None:
    path = stage_file(project, "stage-x")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_stage(path)
    assert caught.value.where == where
    assert caught.value.what.startswith(what)
    assert caught.value.why
    assert caught.value.remedy


def test_an_absent_file_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_stage(stage_file(project, "stage-f"))
    assert str(caught.value).startswith("Pulumi.stage-f.yaml: there is no such file")


def test_a_stage_replaces_lists_as_a_whole_and_mappings_key_by_key(project: Path) -> None:
    path = stage_file(project, "stage-c")
    changed = path.read_text(encoding="utf-8").replace(
        "    kafka:\n", "    kafka:\n      topics: [{name: only, partitions: 1, retention_hours: 1}]\n"
    )
    path.write_text(changed, encoding="utf-8")
    kafka = load_stage(path).kafka
    assert [topic.name for topic in kafka.topics] == ["only"]
    assert kafka.replication_factor == 3
