from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed import cli
from tests.program import PROJECT


def run(*arguments: str) -> str:
    asked = ["grow", "--runs", "20", "--start", "2026-12-01", *arguments, "--project", str(PROJECT)]
    result = CliRunner().invoke(cli.build(("grow",)), asked)
    if result.exception:
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("scenario", "users", "begins"),
    [
        ("conservative", 1_608, [0, 1, 117, 233, 314]),
        ("realistic", 28_625, [0, 1, 17, 33, 45]),
        ("optimistic", 309_948, [0, 1, 10, 20, 27]),
    ],
)
def test_each_scenario_gives_the_plans_users_at_month_24(scenario: str, users: int, begins: list[int]) -> None:
    said = json.loads(run("--scenario", scenario, "--months", "24", "--json"))
    assert round(said["months"][24]["users"]) == users
    assert [entry["month"] for entry in said["entries"]] == begins
    assert said["stages"][-1]["revenue_usd"] == 1_500_000


def test_a_picture_is_written_beside_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "growth.svg"
    assert "When each stage begins" in run("--plot", str(path))
    assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - written by this very test


def test_without_a_start_the_forecast_starts_today_in_the_services_time_zone() -> None:
    result = CliRunner().invoke(cli.build(("grow",)), ["grow", "--runs", "1", "--json", "--project", str(PROJECT)])
    start = date.fromisoformat(json.loads(result.output)["request"]["start"])
    assert abs((start - date.today()).days) <= 1  # noqa: DTZ011 - any zone will do


def test_every_option_reaches_the_forecast() -> None:
    said = json.loads(
        run(
            *("--users", "2000", "--k", "1.4", "--churn", "0.1", "--cycle-months", "0.5", "--price", "12"),
            *("--cac", "30", "--fixed-costs", "100", "--cash", "5000", "--seed", "9", "--model", "viral", "--json"),
        )
    )
    known = {"users": 2_000, "k": 1.4, "churn": 0.1, "cycle_months": 0.5}
    assert said["request"]["known"] == known
    assert known.items() <= said["parameters"].items()
    assert (said["request"]["seed"], said["request"]["model"]) == (9, "viral")
    assert said["one"]["cac_usd"] == 30
    assert said["request"]["assumed"] == {
        "price_usd_per_month": 12,
        "cac_usd_per_payer": 30,
        "fixed_usd_per_month": 100,
        "cash_usd": 5_000,
    }


@pytest.mark.parametrize(
    ("arguments", "where", "remedy"),
    [
        (["--months", "0"], "grow › months", "1 to 360"),
        (["--churn", "1.5"], "grow › churn", "0 to 1"),
        (["--k", "-1"], "grow › k", "0.01 to 10"),
        (["--runs", "0"], "grow › runs", "1 to 20000"),
        (["--cash=-1"], "grow › cash", "0 or more"),
    ],
)
def test_a_figure_out_of_range_ends_with_the_remedy_and_no_traceback(
    arguments: list[str],
    where: str,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["dreamseed", "grow", "--runs", "5", *arguments, "--project", str(PROJECT)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert where in said
    assert remedy in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--scenario", "hopeful"], "conservative"),
        (["--model", "magic"], "cohort"),
        (["--start", "soon"], "YYYY-MM-DD"),
    ],
)
def test_an_unknown_word_is_answered_with_those_that_are_known(arguments: list[str], named: str) -> None:
    result = CliRunner().invoke(cli.build(("grow",)), ["grow", *arguments, "--project", str(PROJECT)])
    assert result.exit_code == 2
    assert named in result.output


def test_a_plot_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as raised:
        run("--plot", str(tmp_path / "missing" / "growth.svg"))
    assert raised.value.code == 2
