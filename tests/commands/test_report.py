from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.growth.parameters import GrowthError
from tests.planning.stages import ROOT


def run(output: Path, *arguments: str) -> Result:
    words = ["report", "--output", str(output), "--project", str(ROOT), *arguments]
    return CliRunner().invoke(build(["report", "plan"]), words)


def test_it_writes_one_file_and_says_which_and_a_stage_above_its_budget_is_no_error(tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    result = run(output, "--day", "2026-11-26", "--scenario", "optimistic", "--months", "30")
    assert result.exit_code == 0
    assert f"{output}: five stages as of 2026-11-26" in result.stdout.replace("\n", "")
    page = output.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "reaches stage E by month 30" in page
    assert "over by" in page
    assert "dreamseed report --scenario optimistic --months 30" in page
    assert list(tmp_path.iterdir()) == [output]


def test_a_day_that_is_none_is_refused_with_the_way_to_write_it(tmp_path: Path) -> None:
    result = run(tmp_path / "page.html", "--day", "tomorrow")
    assert result.exit_code == 2
    words = " ".join(result.output.replace("│", " ").split())
    assert "--day 'tomorrow' is no day" in words
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("months", ["0", "361"])
def test_months_out_of_range_are_refused_before_anything_is_written(months: str, tmp_path: Path) -> None:
    result = run(tmp_path / "page.html", "--months", months)
    assert isinstance(result.exception, GrowthError)
    assert "1 to 360" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    result = run(tmp_path / "missing" / "page.html", "--day", "2026-11-26")
    assert result.exit_code == 2
    assert "cannot be written" in " ".join(result.output.replace("│", " ").split())
