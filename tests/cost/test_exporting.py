from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed import cli
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.config.usage import Range
from dreamseed.cost.actuals import compare, read_bill
from dreamseed.cost.estimate import estimate
from dreamseed.cost.exporting import figures, for_exporter, usd_per_hour
from tests.planning.stages import ROOT, STAGE_NAMES, shipped

BILL = Path(__file__).parent / "actuals" / "november.csv"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_months_hours_cost_what_the_stage_is_expected_to(stage: str) -> None:
    rates = usd_per_hour(shipped(stage))
    assert math.fsum(rates.values()) * HOURS_PER_MONTH == pytest.approx(estimate(shipped(stage)).total.expected)
    assert min(rates.values()) > 0


def test_a_stage_that_expects_no_generation_still_has_a_table_of_them() -> None:
    plan = shipped("stage-b")
    none = plan.config.usage.model_copy(update={"generations_per_active_user_day": Range(low=0, expected=0, high=0)})
    quiet = replace(plan, config=plan.config.model_copy(update={"usage": none}))
    (generations,) = (one for one in figures(quiet)[0] if one.name == "generations_per_active_user_day")
    assert list(generations.at) == sorted(set(generations.at))


def test_a_bill_is_told_by_the_estimates_services_until_its_last_day() -> None:
    found = compare(estimate(shipped("stage-c")), read_bill(BILL))
    content = for_exporter(found)
    assert content["month"] == "2026-11"
    assert content["until"] == f"2026-11-{found.elapsed + 1:02}T00:00:00+00:00"
    assert content["usd"]["Cloud Run"] > 0
    billed = [one.days.to_date_usd for one in found.services if one.days]
    assert math.fsum(content["usd"].values()) == pytest.approx(math.fsum(billed))
    # What the stage pays by its rates and the bill does not hold costs nothing where the provider's bill is there.
    assert set(usd_per_hour(shipped("stage-c"))) & set(content["usd"])


def test_the_command_writes_a_bill_for_the_exporter(tmp_path: Path) -> None:
    target = tmp_path / "november.json"
    words = ["cost", "actuals", "stage-c", str(BILL), "--for-exporter", str(target), "--project", str(ROOT)]
    result = CliRunner().invoke(cli.build(("cost",)), words)
    assert result.exit_code == 0, result.output
    assert json.loads(target.read_text(encoding="utf-8"))["usd"]["Cloud Run"] > 0


def test_a_bill_for_the_exporter_is_asked_for_with_a_bill_only(tmp_path: Path) -> None:
    words = ["cost", "stage-c", "--for-exporter", str(tmp_path / "x.json"), "--project", str(ROOT)]
    result = CliRunner().invoke(cli.build(("cost",)), words)
    assert result.exit_code == 2
    assert not (tmp_path / "x.json").exists()
