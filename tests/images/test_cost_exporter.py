"""The cost exporter: what it counts, what it remembers, and that it exports what the contract says."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from dreamseed.config import STAGE_NAMES
from dreamseed.cost.exporting import usd_per_hour
from dreamseed.monitoring.contract import EXPORTERS, Job
from dreamseed.monitoring.metrics import jobs_of
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


measured = _module("measured")  # first: the exporter imports it
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


def table(name: str = "load") -> Any:
    """From half of the expected load on each unit costs a dollar an hour, before it half of one."""
    axis = measured.Axis(name=name, query=f"avg_over_time({name}[$window:$step])", expected=1.0, at=(0.0, 0.5, 1.0))
    return measured.Table(axes=(axis,), more_usd_per_hour={"Cloud Run": [-0.4, -0.25, 0.0], "Logging": [0.0, 0.0, 0.2]})


WITH_USAGE = exporter.Rates(stage="B", usd_per_hour=RATES.usd_per_hour, usage=(table(),))


@pytest.mark.parametrize(
    ("load", "more"), [(0.0, -0.4), (0.25, -0.325), (0.5, -0.25), (0.75, -0.125), (1.0, 0.0), (3.0, 1.0)]
)
def test_between_its_points_a_table_is_straight_and_goes_on_beyond_the_last(load: float, more: float) -> None:
    assert table().more({"load": load})["Cloud Run"] == pytest.approx(more)


def test_a_table_of_two_figures_knows_what_they_cost_together() -> None:
    axes = tuple(measured.Axis(name=name, query="", expected=1.0, at=(0.0, 1.0)) for name in ("x", "y"))
    both = measured.Table(axes=axes, more_usd_per_hour={"a": [[0.0, 0.0], [0.0, 8.0]]})
    assert both.more({"x": 0.5, "y": 0.5}) == {"a": 2.0}
    assert both.more({"x": 0.5}) == {"a": 4.0}


def test_hours_cost_what_was_measured_in_them_and_the_coming_ones_are_like_the_last_day(folder: Path) -> None:
    asked: list[tuple[datetime, timedelta]] = []

    def ask(_: str, until: datetime, window: timedelta) -> float:
        asked.append((until, window))
        return 0.5 if window == timedelta(days=1) else 3.0

    values(folder, NOON, WITH_USAGE)
    later = NOON + timedelta(hours=4)
    found = answered(exporter.CostCollector(WITH_USAGE, folder, lambda: later, ask))
    before = 0.5 * HOURS
    assert found["edu_cost_month_to_date"]["Cloud Run"] == pytest.approx(before + 4 * 1.5)
    rest = (datetime(2026, 12, 1, tzinfo=UTC) - later) / timedelta(hours=1)
    assert found["edu_cost_month_forecast"]["Cloud Run"] == pytest.approx(before + 4 * 1.5 + 0.25 * rest)
    assert asked == [(later, timedelta(hours=4)), (later, timedelta(days=1))]


def test_a_month_that_nobody_remembers_is_asked_for_whole(folder: Path) -> None:
    windows: list[timedelta] = []

    def ask(_: str, __: datetime, window: timedelta) -> float:
        windows.append(window)
        return 3.0

    found = answered(exporter.CostCollector(WITH_USAGE, folder, lambda: NOON, ask))
    assert windows[0] == timedelta(hours=HOURS)
    assert found["edu_cost_month_to_date"]["Cloud Run"] == pytest.approx(1.5 * HOURS)


def test_what_is_not_measured_costs_what_was_expected_and_says_so(folder: Path) -> None:
    def sources(answer: float | None) -> dict[str, float]:
        collector = exporter.CostCollector(WITH_USAGE, folder, lambda: NOON, lambda *_: answer)
        family = {one.name: one for one in collector.collect()}["edu_cost_usage"]
        return {sample.labels["source"]: sample.value for sample in family.samples}

    assert values(folder, NOON, WITH_USAGE)["edu_cost_month_to_date"]["Cloud Run"] == 0.5 * HOURS
    assert sources(None) == {"expected": 1.0}
    assert sources(0.25) == {"measured": 0.25}


def test_nothing_costs_less_than_nothing(folder: Path) -> None:
    rates = exporter.Rates(stage="B", usd_per_hour={"Cloud Run": 0.1}, usage=(table(),))
    found = answered(exporter.CostCollector(rates, folder, lambda: NOON, lambda *_: 0.0))
    assert found["edu_cost_month_to_date"]["Cloud Run"] == 0


def test_prometheus_is_asked_once_a_minute_and_not_again_while_it_is_away(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[datetime] = []

    def ask(_: str, until: datetime, __: timedelta) -> float:
        asked.append(until)
        raise OSError("refused")

    moments = [NOON + timedelta(seconds=passed) for passed in (0, 30, 59, 60)]
    rates = exporter.Rates(stage="B", usd_per_hour={}, usage=(table("load"), table("other")))
    clock = iter(moments)
    collector = exporter.CostCollector(rates, folder, lambda: next(clock), ask)
    for _ in moments:
        answered(collector)
    assert asked == [moments[0]] * 2 + [moments[3]] * 2
    assert "cannot be asked for: refused" in caplog.text


class _Answers(BaseHTTPRequestHandler):
    """Prometheus' answer to an instant query: a vector of one value, or of none."""

    said: ClassVar[list[tuple[str, float]]] = []

    def do_GET(self) -> None:
        words = parse_qs(urlsplit(self.path).query)
        self.said.append((words["query"][0], float(words["time"][0])))
        result = [] if "nobody" in self.path else [{"metric": {}, "value": [1.0, "0.25"]}]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_prometheus_is_asked_for_a_mean_over_the_window_in_some_hundred_steps() -> None:
    _Answers.said.clear()
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ask = measured.prometheus(f"http://127.0.0.1:{server.server_port}")
        found = [
            ask(f"avg_over_time({name}[$window:$step])", NOON, window)
            for name, window in (("load", timedelta(minutes=5)), ("nobody", timedelta(days=25)))
        ]
        server.shutdown()
    assert found == [0.25, None]
    assert _Answers.said == [
        ("avg_over_time(load[300s:60s])", NOON.timestamp()),
        ("avg_over_time(nobody[2160000s:4320s])", NOON.timestamp()),
    ]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_what_it_asks_exists_and_what_it_computes_is_what_the_whole_estimate_says(stage: str) -> None:
    plan = shipped(stage)
    rates = exporter.read_rates(file(container(plan, "cost-exporter"), RATES_FILE).text)
    axes = [axis for one in rates.usage for axis in one.axes]
    assert [axis.name for axis in axes] == ["load_factor", "generations_per_active_user_day", "gpu_busy_ratio"]
    for axis in axes:
        query = axis.query.replace("$window", "1d").replace("$step", "5m")
        assert jobs_of(query, axis.name) <= {Job.API, Job.VLLM, Job.DCGM}
        assert list(axis.at) == sorted(set(axis.at))
    for shares in ((0.0, 2.0, 1.0), (4.0, 0.25, 0.0), (0.5, 0.5, 1.0)):
        other = {axis.name: axis.expected * share for axis, share in zip(axes, shares, strict=True)}
        whole = usd_per_hour(plan, replaced=other)
        computed = rates.with_usage(other).usd_per_hour
        assert {name: usd for name, usd in computed.items() if usd > 1e-5} == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("stage", ["stage-a", "stage-e"])
def test_the_plan_gives_it_the_rates_of_its_own_stage(stage: str) -> None:
    plan = shipped(stage)
    rates = exporter.read_rates(file(container(plan, "cost-exporter"), RATES_FILE).text)
    assert rates.stage == plan.config.service.stage
    assert rates.usd_per_hour == pytest.approx(usd_per_hour(plan), abs=1e-6)
    assert math.fsum(rates.usd_per_hour.values()) > 0
