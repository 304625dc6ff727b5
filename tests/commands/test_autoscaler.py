from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autoscaler.settings import Settings
from dreamseed import cli
from dreamseed.errors import PlanError
from tests.program import PROJECT


def run(*arguments: str) -> str:
    asked = ["autoscaler", *arguments, "--project", str(PROJECT)]
    result = CliRunner().invoke(cli.build(("autoscaler",)), asked)
    if result.exception:
        raise result.exception
    return result.output


def test_a_replay_prints_a_row_for_each_autoscaler_and_writes_figures_and_a_picture(tmp_path: Path) -> None:
    figures, picture = tmp_path / "runs.json", tmp_path / "runs.svg"
    asked = ["replay", "conversation-hour", "--scaler", "none", "--scaler", "KEDA"]
    said = run(*asked, "--json", str(figures), "--plot", str(picture))
    first, second = json.loads(figures.read_text(encoding="utf-8"))
    assert (first["autoscaler"], second["autoscaler"]) == ("none", "KEDA")
    assert first["usd"] == 0 < second["usd"]
    assert first["requests"] == second["requests"] > 10_000
    assert "KEDA" in said
    assert "Goal" not in said, "ours was not asked for"
    assert ET.fromstring(picture.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["replay", "weekend"], "one of conversation-hour"),
        (["replay", "images", "--scaler", "magic"], "one of ours, ours-early"),
        (["replay", "images", "--stage", "stage-a"], "stage-c or later"),
        (["settings", "stage-b", "--template", "t"], "stage-c or later"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_what_can(arguments: list[str], remedy: str) -> None:
    with pytest.raises(PlanError, match=remedy):
        run(*arguments)


def test_the_daemons_file_is_printed_whole() -> None:
    found = Settings.model_validate_json(run("settings", "stage-c", "--template", "a-template"))
    assert (found.project, found.template) == ("dreamseed-prod", "a-template")
    assert found.policy.max_workers == 2
