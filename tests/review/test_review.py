from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.config import load_stage, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.metrics import jobs_of
from dreamseed.monitoring.model import Fleet
from dreamseed.monitoring.rules import recorded_jobs, rule_groups
from dreamseed.review.observed import EXPRESSIONS
from dreamseed.review.prometheus import Prometheus
from dreamseed.review.report import Line, Review, Section, as_html, as_markdown
from tests.review.history import open_metrics, serving

PROJECT = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Seoul")
FIRST, UNTIL = datetime(2026, 11, 9, 9, tzinfo=ZONE), datetime(2026, 11, 23, 9, tzinfo=ZONE)
API = 'job="api",instance="i",kind="plain"'
SECOND_WEEK = 7.0
EXAMPLE = PROJECT / "docs" / "reference" / "weekly-review.md"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Stage B over two weeks: 6,000 sign-ups grow by 500 and then by 1,000; from the second week on it is slower."""

    def since(day: float) -> float:
        return max(0.0, day - SECOND_WEEK)

    answers = "http_request_duration_seconds_bucket{" + API + ',le="%s"}'
    series = {
        'edu_signups{job="api",instance="i"}': lambda day: 6_000 + 500 * min(day, 7) / 7 + 1_000 * since(day) / 7,
        'edu_concurrent_users{job="api",instance="i"}': lambda day: 420 if 9.0 <= day < 9.1 else 150,
        'http_requests_total{job="api",instance="i",kind="plain",status="2xx"}': lambda day: 1_000_000 + 50_000 * day,
        # The month is older than a fortnight: 2 USD a day in the first week, 4 in the second.
        'edu_cost_month_to_date{job="cost",instance="i",stage="B",component="api"}': lambda day: (
            16 + 2 * min(day, 7) + 4 * since(day)
        ),
        # 97 % within 0.2 s in the first week, 90 % in the second.
        answers % "0.2": lambda day: 1e6 + 50_000 * (0.97 * min(day, 7) + 0.9 * since(day)),
        answers % "0.3": lambda day: 1e6 + 50_000 * (0.97 * min(day, 7) + 0.9 * since(day)),
        answers % "0.5": lambda day: 1e6 + 50_000 * day,
        answers % "+Inf": lambda day: 1e6 + 50_000 * day,
        'DCGM_FI_DEV_GPU_UTIL{job="dcgm",host="server-1",gpu="0"}': lambda day: 95 if 10 <= day < 10.7 else 40,
        'slo:error_budget_remaining:ratio{slo="api-availability"}': lambda day: 0.62,
        'slo:error_budget_remaining:ratio{slo="api-latency-p95"}': lambda day: -0.4,
        'ALERTS{alertname="APIHighLatency",alertstate="firing",severity="critical"}': lambda day: 1,
    }
    with serving(tmp_path_factory.mktemp("history"), open_metrics(FIRST, 14, series)) as url:
        yield url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(["review", "slo"]), [*arguments, "--project", str(PROJECT)])


def answers(text: str) -> dict[str, tuple[str, str]]:
    """The value and the note of each question of a review in Markdown."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    return {row[0]: (row[1], (row[2] if len(row) > 2 else "").strip(" |")) for row in rows if len(row) > 1}


def test_a_weekly_review_answers_each_line_of_the_plans_section_10(prometheus: str) -> None:
    result = run("review", "weekly", "--stage", "stage-b", "--prometheus", prometheus, "--until", "2026-11-23T09:00:00")
    assert result.exit_code == 0, result.output
    found = answers(result.output)
    assert found["new sign-ups"] == ("1,000", "+100% on the week before")
    assert found["total users"][0] == "7,500"
    assert found["peak concurrent users"][0] == "420"
    assert found["requests"][0] == "350,000"
    # 28 of a week's share of 180 USD, which is 42; 58 USD after 22.375 days make 78 in a month of 30.
    assert found["the week's cost against the budget"][0] == "28.00 of 42.00 USD (67%)"
    assert found["the month's forecast"] == ("77.77 of 180.00 USD (43%)", "at the pace of the month so far")
    assert found["cost anomalies"] == ("unknown", "no bill given: --bill FILE")
    assert found["sign-ups"] == ("7,500, 75% of 10,000", "")
    assert found["concurrent users"] == ("420, 84% of 500", "near: prepare the next stage")
    assert found["a GPU at 85 % or more"][0].startswith("10.0% of the time, 16.8 h")
    assert found["API p95"] == ("400 ms, objective 300 ms", "+104% on the period before")
    assert found["p95 of the wait for an engine"][0] == "unknown"
    assert found["error budgets"][0] == "api-availability 62% left; api-latency-p95 -40% left"
    assert "api-latency-p95" in found["error budgets"][1]
    assert found["alerts that fired"][0] == "APIHighLatency"
    # 7,500 of 6,500 a week ago is 15.4 %: 10,000 are two weeks away.
    assert found["expected in"][0] == "2 weeks"
    assert found["budget it needs"][0] == "290 USD a month, 110 more"
    assert found["preparation it needs"][0] == "2 → 3 GPUs, 64 → 128 GiB of memory a server"


def test_the_example_in_the_docs_is_what_the_command_prints(prometheus: str) -> None:
    result = run("review", "weekly", "--stage", "stage-b", "--prometheus", prometheus, "--until", "2026-11-23T09:00:00")
    page = EXAMPLE.read_text(encoding="utf-8")
    assert page.split("\n\n", 1)[1] == result.output, f"write what the command prints into {EXAMPLE}"


def test_a_monthly_review_says_unknown_where_nobody_measured_a_month(prometheus: str, tmp_path: Path) -> None:
    markdown, html = tmp_path / "review.md", tmp_path / "review.html"
    more = ["--until", "2026-11-23T09:00:00", "--markdown", str(markdown), "--html", str(html)]
    result = run("review", "monthly", "--stage", "stage-b", "--prometheus", prometheus, *more)
    assert result.exit_code == 0, result.output
    found = answers(markdown.read_text(encoding="utf-8"))
    assert found["growth against target"][0] == found["K"][0] == found["churn and its causes"][0] == "unknown"
    assert found["the month's cost against the budget"][0] == "unknown"
    assert found["expected in"][0] == "unknown"
    page = html.read_text(encoding="utf-8")
    assert page.count('class="unknown"') == sum(value == "unknown" for value, _ in found.values())


def test_the_objectives_are_printed_with_what_is_left_and_what_is_unknown(prometheus: str) -> None:
    result = run("slo", "--stage", "stage-e", "--prometheus", prometheus, "--until", "2026-11-23T09:00:00")
    assert result.exit_code == 0, result.output
    rows = {line.split("│")[1].strip(): line for line in result.output.splitlines() if line.startswith("│")}
    availability = [cell.strip() for cell in rows["API answers without 5xx"].strip("│").split("│")]
    assert availability[1:] == ["99.9 %", "0.72 h", "1.44 %", "0.6 %", "0.3 %", "0.1 %", "695", "62.0%"]
    assert "unknown" in rows["Generations that do not fail"]


def test_without_a_prometheus_the_objectives_of_every_stage_are_printed() -> None:
    result = run("slo")
    assert result.exit_code == 0
    assert [f"stage-{letter}: objectives" in result.output for letter in "abcde"] == [True] * 5


def test_every_expression_of_a_review_is_one_that_the_metric_contract_carries() -> None:
    groups = rule_groups(load_stage(stage_file(PROJECT, "stage-e")), frozenset(Job), Fleet(gpus=5, engines=3))
    for expression in EXPRESSIONS:
        jobs_of(expression.format(window="7d"), "review", recorded_jobs(groups))


def test_a_prometheus_that_is_not_there_is_told_with_its_address() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(DreamSeedError) as caught:
        Prometheus("http://10.0.0.1:9090", httpx.MockTransport(refuse)).value("up", UNTIL)
    assert (caught.value.where, "refused" in caught.value.what) == ("http://10.0.0.1:9090", True)


def test_more_than_one_value_is_no_answer(prometheus: str) -> None:
    asked = Prometheus(prometheus)
    with pytest.raises(DreamSeedError) as caught:
        asked.value("slo:error_budget_remaining:ratio", UNTIL)
    assert "2 series" in caught.value.what
    with pytest.raises(DreamSeedError) as caught:
        asked.value("sum(", UNTIL)
    assert "parse error" in caught.value.what


def test_a_page_shows_what_it_is_given_as_text_and_unknown_as_unknown() -> None:
    lines = (Line(question="a | b", value="<b>1</b>"), Line(question="c", value=None, note="ask"))
    review = Review(title="T", period="p", sections=(Section(title="S", lines=lines),))
    assert "&lt;b&gt;1&lt;/b&gt;" in as_html(review)
    assert '<td class="unknown">unknown</td>' in as_html(review)
    assert "| a \\| b | <b>1</b> |  |" in as_markdown(review)
    assert "| c | unknown | ask |" in as_markdown(review)
