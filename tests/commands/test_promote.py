from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.errors import PromotionError
from tests.program import PROJECT


def promote(folder: Path, *arguments: str) -> Result:
    command = ["promote", *arguments, "--folder", str(folder), "--project", str(PROJECT)]
    return CliRunner().invoke(build(("promote",)), command)


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A rehearsal in which stage D stands."""
    (tmp_path / "standing.json").write_text(json.dumps({"stage": "stage-d"}))
    return tmp_path


@pytest.mark.parametrize("to", ["stage-a", "stage-b", "stage-c"])
def test_a_lower_stage_is_refused_and_what_to_do_instead_is_said(to: str, standing: Path) -> None:
    error = promote(standing, "--to", to).exception
    assert isinstance(error, PromotionError)
    assert "a promotion goes up" in error.what
    assert "dreamseed gate STAGE --down" in error.remedy
    assert "Go down a stage" in error.remedy
    section = (PROJECT / "docs" / "how-to" / "decide-a-promotion.md").read_text()
    assert "## Go down a stage" in section


def test_the_stage_that_stands_is_refused_too(standing: Path) -> None:
    error = promote(standing, "--to", "stage-d").exception
    assert isinstance(error, PromotionError)
    assert "none is ever skipped" in str(error)


def test_a_stage_is_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "standing.json").write_text(json.dumps({"stage": "stage-b"}))
    error = promote(tmp_path, "--to", "stage-d").exception
    assert isinstance(error, PromotionError)
    assert "none is ever skipped" in str(error)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--tier", "attic"), "no tier 'attic': write one of tier"),
        (("--load-share", "0"), "--load-share 0 is no share"),
        (("--load-share", "1.5"), "--load-share 1.5 is no share"),
    ],
)
def test_what_is_asked_of_a_tier_is_refused_before_anything_begins(wrong: tuple[str, ...], words: str) -> None:
    done = promote(Path("none"), "--to", "stage-b", "--local", *wrong)
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
