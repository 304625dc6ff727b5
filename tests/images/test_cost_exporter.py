"""The cost exporter: what it counts, what it remembers, and that it exports what the contract says."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from dreamseed.cost.exporting import usd_per_hour
from dreamseed.monitoring.contract import EXPORTERS, Job
from dreamseed.planning.services.monitoring_cost import RATES_FILE
from tests.planning.stages import container, file, shipped
from tests.ports import free_port

FOLDER = Path(__file__).parents[2] / "images" / "cost-exporter"


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


exporter, healthy = _module("cost_exporter"), _module("healthy")
RATES = exporter.Rates(stage="B", usd_per_hour={"Cloud Run": 0.5, "Electricity": 0.1})
NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
HOURS = 10 * 24 + 12
"""Of November until NOON."""


def spent(until: datetime, **usd: float) -> Any:
    return exporter.Spent(month=f"{until:%Y-%m}", until=until.isoformat(), usd=usd)


def values(folder: Path, now: datetime, rates: Any = RATES) -> dict[str, dict[str, float]]:
    """What an exporter that begins now answers: by metric and component, "" where there is none."""
    return answered(exporter.CostCollector(rates, folder, lambda: now))


def answered(collector: Any) -> dict[str, dict[str, float]]:
    return {
        family.name: {sample.labels.get("component", ""): sample.value for sample in family.samples}
        for family in collector.collect()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bills").mkdir()
    return tmp_path


def test_a_month_that_nobody_remembers_is_counted_from_its_beginning(folder: Path) -> None:
    found = values(folder, NOON)
    assert found["edu_cost_month_to_date"] == {"Cloud Run": 0.5 * HOURS, "Electricity": pytest.approx(0.1 * HOURS)}
    assert found["edu_cost_month_forecast"]["Cloud Run"] == 0.5 * 720
    assert found["edu_cost_last_update_timestamp_seconds"] == {"": NOON.timestamp()}


def test_a_promotion_changes_what_the_coming_hours_cost_and_not_those_that_are_over(folder: Path) -> None:
    values(folder, NOON)
    after = exporter.Rates(stage="C", usd_per_hour={"Cloud Run": 2.0, "Kafka": 1.0})
    found = values(folder, NOON + timedelta(hours=10), after)
    assert found["edu_cost_month_to_date"] == {
        "Cloud Run": 0.5 * HOURS + 20,
        "Electricity": pytest.approx(0.1 * HOURS),
        "Kafka": 10,
    }
    assert found["edu_cost_month_forecast"]["Electricity"] == pytest.approx(0.1 * HOURS)


def test_a_new_month_begins_with_nothing(folder: Path) -> None:
    values(folder, NOON)
    found = values(folder, datetime(2026, 12, 1, 1, tzinfo=UTC))
    assert found["edu_cost_month_to_date"]["Cloud Run"] == 0.5
    assert found["edu_cost_month_forecast"]["Cloud Run"] == 0.5 * 744


@given(
    some.lists(some.floats(min_value=0, max_value=100), min_size=1, max_size=6),
    some.floats(min_value=0, max_value=1_000),
)
def test_it_counts_the_same_however_often_it_is_asked(hours: list[float], rate: float) -> None:
    rates = exporter.Rates(stage="B", usd_per_hour={"x": rate})
    now, seen = NOON, exporter.spent_until(NOON, rates, None)
    for passed in hours:
        now += timedelta(hours=passed)
        if now.month != NOON.month:
            return
        seen = exporter.spent_until(now, rates, seen)
    assert seen.usd["x"] == pytest.approx(exporter.spent_until(now, rates, None).usd["x"], rel=1e-6, abs=1e-9)


def test_a_clock_that_goes_back_takes_nothing_back(folder: Path) -> None:
    values(folder, NOON)
    found = values(folder, NOON - timedelta(hours=5))
    assert found["edu_cost_month_to_date"]["Cloud Run"] == 0.5 * HOURS


def test_a_bill_stands_in_place_of_the_rates_as_far_as_it_goes(folder: Path) -> None:
    older = {"month": "2026-11", "until": "2026-11-05T00:00:00+00:00", "usd": {"Cloud Run": 1}}
    newest = {"month": "2026-11", "until": "2026-11-11T00:00:00+00:00", "usd": {"Cloud Run": 900, "Support": 30}}
    other = {"month": "2026-10", "until": "2026-11-01T00:00:00+00:00", "usd": {"Cloud Run": 5_000}}
    for name, bill in (("a", older), ("b", newest), ("c", other)):
        (folder / "bills" / f"{name}.json").write_text(json.dumps(bill), encoding="utf-8")
    found = values(folder, NOON)
    assert found["edu_cost_month_to_date"] == {
        "Cloud Run": 900 + 0.5 * 12,
        "Electricity": pytest.approx(0.1 * HOURS),
        "Support": 30,
    }
    assert found["edu_cost_month_forecast"]["Support"] == 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"month": "2026-11", "until": "2026-12-09T00:00:00+00:00", "usd": {}}',
        '{"month": "2026-11", "until": "2026-11-09T00:00:00", "usd": {}}',
        '{"month": "2026-11", "until": "2026-11-09T00:00:00+00:00", "usd": {"a": NaN}}',
    ],
)
def test_a_file_that_says_something_else_is_told_and_left_aside(
    folder: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bills" / "wrong.json").write_text(text, encoding="utf-8")
    (folder / "month.json").write_text(text, encoding="utf-8")
    assert values(folder, NOON)["edu_cost_month_to_date"]["Cloud Run"] == 0.5 * HOURS
    assert "wrong.json" in caplog.text
    assert "begun anew" in caplog.text


def test_what_cannot_be_remembered_is_no_update(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    moments = iter([NOON, NOON + timedelta(hours=2)])
    collector = exporter.CostCollector(RATES, folder, lambda: next(moments))
    assert answered(collector)["edu_cost_last_update_timestamp_seconds"] == {"": NOON.timestamp()}
    (folder / "month.json").unlink()
    (folder / "month.json").mkdir()
    found = answered(collector)
    assert found["edu_cost_last_update_timestamp_seconds"] == {"": NOON.timestamp()}
    assert found["edu_cost_month_to_date"]["Cloud Run"] == 0.5 * (HOURS + 2)
    assert "cannot be remembered" in caplog.text


@pytest.fixture
def serving(folder: Path) -> Iterator[int]:
    """The program itself, as its container runs it for stage B; its port."""
    rates = folder / "rates.json"
    rates.write_text(file(container(shipped("stage-b"), "cost-exporter"), RATES_FILE).text, encoding="utf-8")
    port = free_port()
    words = [f"--rates={rates}", f"--memory={folder}", f"--listen={port}"]
    with subprocess.Popen([sys.executable, str(FOLDER / "cost_exporter.py"), *words]) as process:
        try:
            _wait(port)
            yield port
        finally:
            process.kill()


@retry(retry=retry_if_exception_type(httpx.HTTPError), stop=stop_after_delay(300), wait=wait_fixed(0.1))
def _wait(port: int) -> None:
    httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def test_the_program_serves_what_the_contract_says_and_is_found_healthy(serving: int) -> None:
    text = httpx.get(f"http://127.0.0.1:{serving}/metrics", trust_env=False).text
    contract = next(one for one in EXPORTERS if one.job is Job.COST)
    for metric in contract.metrics:
        assert f"# TYPE {metric.name} {metric.kind}\n" in text
        line = next(line for line in text.splitlines() if line.startswith(metric.name))
        labels = {part.split("=")[0] for part in line.partition("{")[2].partition("}")[0].split(",") if part}
        assert labels == metric.labels
    assert 'component="Cloud Run",stage="B"' in text
    assert healthy.serves(serving)


def test_an_exporter_that_is_away_is_not_healthy() -> None:
    assert not healthy.serves(free_port())


@pytest.mark.parametrize("text", ["", '{"stage": "B"}', '{"stage": "B", "usd_per_hour": {"a": "much"}}'])
def test_rates_that_are_none_end_the_program_with_their_file(folder: Path, text: str) -> None:
    rates = folder / "rates.json"
    rates.write_text(text, encoding="utf-8")
    words = [sys.executable, str(FOLDER / "cost_exporter.py"), f"--rates={rates}", f"--memory={folder}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{rates} holds no rates" in done.stderr


@pytest.mark.parametrize("stage", ["stage-a", "stage-e"])
def test_the_plan_gives_it_the_rates_of_its_own_stage(stage: str) -> None:
    plan = shipped(stage)
    rates = exporter.read_rates(file(container(plan, "cost-exporter"), RATES_FILE).text)
    assert rates.stage == plan.config.service.stage
    assert rates.usd_per_hour == pytest.approx(usd_per_hour(plan), abs=1e-6)
    assert math.fsum(rates.usd_per_hour.values()) > 0
