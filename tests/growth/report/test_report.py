from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dreamseed.catalog.growth_scenarios import Scenario
from dreamseed.growth.forecast import Forecast
from dreamseed.growth.models import Model
from dreamseed.growth.money import Assumptions
from dreamseed.growth.report import forecast_as_json, forecast_svg, forecast_tables
from dreamseed.growth.report.words import count, percent, times, usd
from tests.growth.shipped import forecast_of

GOLDEN = Path(__file__).parent / "golden"
CASES: Mapping[str, tuple[Scenario, dict[str, Any]]] = {
    "realistic-plan": (Scenario.REALISTIC, {"runs": 200}),
    "optimistic-viral": (
        Scenario.OPTIMISTIC,
        {
            "model": Model.VIRAL,
            "months": 60,
            "runs": 200,
            "assumed": Assumptions(cac_usd_per_payer=40, fixed_usd_per_month=20_000, cash_usd=500_000),
        },
    ),
}


def printed(shown: Forecast, *, colour: bool = False, no_color: bool = False) -> str:
    """Nothing is left to the environment: NO_COLOR, TERM and COLUMNS differ from machine to machine."""
    text = io.StringIO()
    console = Console(
        file=text,
        width=140,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=no_color,
    )
    console.print(forecast_tables(shown), highlight=False)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_the_terminals_text_is_the_recorded_one(case: str) -> None:
    scenario, asked = CASES[case]
    recorded = GOLDEN / f"{case}.txt"
    assert printed(forecast_of(scenario, **asked)) == recorded.read_text(encoding="utf-8"), (
        f"if meant: {__name__}.write()"
    )


def write() -> None:
    """Record the texts anew: .venv/bin/python -c 'from tests.growth.report.test_report import write; write()'."""
    GOLDEN.mkdir(exist_ok=True)
    for case, (scenario, asked) in CASES.items():
        (GOLDEN / f"{case}.txt").write_text(printed(forecast_of(scenario, **asked)), encoding="utf-8")


def test_colours_are_shown_only_where_they_are_wanted() -> None:
    shown = forecast_of()
    assert "\x1b[32m" in printed(shown, colour=True)
    assert "\x1b[3" not in printed(shown, colour=True, no_color=True)
    assert "\x1b" not in printed(shown)


def test_the_curves_are_the_same_on_a_terminal_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = set()
    for columns in ("40", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", columns)
        texts.add(printed(forecast_of()))
    assert len(texts) == 1


@pytest.mark.parametrize("case", CASES)
def test_the_picture_is_well_formed_names_every_threshold_and_is_the_same_each_time(case: str) -> None:
    scenario, asked = CASES[case]
    svg = forecast_svg(forecast_of(scenario, **asked))
    root = ET.fromstring(svg)  # noqa: S314 - written by this very test
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for words in ("B above 1,000", "C above 10,000", "D above 100,000", "E above 500,000", "revenue", "P50"):
        assert f"<!-- {words} -->" in svg
    assert svg == forecast_svg(forecast_of(scenario, **asked))
    assert "<dc:date>" not in svg


@pytest.mark.parametrize("model", Model)
def test_the_forecast_for_machines_is_plain_and_holds_what_is_asked_of_it(model: Model) -> None:
    values = json.loads(json.dumps(forecast_as_json(forecast_of(model=model)), allow_nan=False))
    assert values["request"]["scenario"] == "realistic"
    assert values["meaning_of_k"].startswith("K")
    assert [stage["revenue_usd"] for stage in values["stages"]] == [500, 8_000, 100_000, 600_000, 1_500_000]
    assert len(values["months"]) == len(values["users"]) == 25
    assert {"month", "months", "order_by", "order_days", "share_of_runs"} <= set(values["entries"][2])
    runway = next(kpi for kpi in values["kpis"] if kpi["name"] == "runway")
    assert (runway["value"], runway["target"], runway["met"]) == ("infinite", 12, True)


def test_long_forecasts_show_every_month_in_which_a_stage_begins() -> None:
    text = printed(forecast_of(months=60))
    rows = text.split("Month by month")[1].split("Each stage at")[0]
    shown = {line.split()[0] for line in rows.splitlines() if line.strip()[:1].isdigit()}
    assert {"0", "1", "17", "33", "45", "60"} <= shown
    assert len(shown) < 30


def test_numbers_read_as_people_write_them() -> None:
    assert [count(value) for value in (None, 28_624.6, 1.5e8)] == ["never", "28,625", "150 M"]
    assert [usd(value) for value in (None, 1_500_000, 53.333, 0.5, 0.0029, 0)] == [
        *("unknown", "1,500,000", "53.33", "0.50", "0.00290", "0.00"),
    ]
    assert [percent(0.0666, 3), percent(4, 0), times(float("inf"))] == ["6.660 %", "400 %", "no end"]
