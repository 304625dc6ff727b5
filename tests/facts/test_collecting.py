from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import httpx
import pytest

from dreamseed.config import Stage, StageConfig
from dreamseed.errors import DreamSeedError
from dreamseed.facts.collect import collect
from dreamseed.facts.days import bounds, last_full_day, month_ends
from dreamseed.facts.imports import import_facts
from dreamseed.facts.measures import Measure, questions
from dreamseed.facts.store import Fact
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.metrics import jobs_of
from dreamseed.monitoring.model import Fleet
from dreamseed.monitoring.rules import recorded_jobs, rule_groups
from dreamseed.review.prometheus import Prometheus
from tests.gates.situations import stages

BERLIN = ZoneInfo("Europe/Berlin")


def in_zone(stage: Stage, zone: str) -> StageConfig:
    config = stages()[stage]
    return config.model_copy(update={"service": config.service.model_copy(update={"time_zone": zone})})


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)]
)
def test_a_local_day_has_as_many_hours_as_the_clock_change_leaves(day: date, hours: int) -> None:
    begin, end = bounds(day, BERLIN)
    assert (end - begin).total_seconds() == hours * 3_600
    assert last_full_day(end, BERLIN) == day


def test_the_last_full_day_is_the_services_and_not_utcs() -> None:
    moment = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    assert last_full_day(moment, ZoneInfo("Asia/Seoul")) == date(2026, 11, 25)
    assert last_full_day(moment, ZoneInfo("UTC")) == date(2026, 11, 24)


def test_months_end_when_the_day_after_is_a_first() -> None:
    assert month_ends(date(2026, 11, 29), 2) == (date(2026, 9, 30), date(2026, 10, 31))
    assert month_ends(date(2026, 11, 30), 2) == (date(2026, 10, 31), date(2026, 11, 30))


def answering(values: dict[str, float], asked: list[tuple[str, float]]) -> Prometheus:
    """A Prometheus that answers each expression by the first of `values` whose key it holds."""

    def answer(request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        query, moment = form["query"][0], float(form["time"][0])
        asked.append((query, moment))
        found = next((value for key, value in values.items() if key in query), None)
        result = [] if found is None else [{"metric": {}, "value": [moment, str(found)]}]
        return httpx.Response(200, json={"status": "success", "data": {"result": result}})

    return Prometheus("http://prometheus", httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("day", "seconds"), [(date(2026, 3, 29), 82_800), (date(2026, 10, 25), 90_000), (date(2026, 10, 26), 86_400)]
)
def test_the_whole_local_day_is_asked_for_and_its_coverage_is_of_that(day: date, seconds: int) -> None:
    asked: list[tuple[str, float]] = []
    samples = seconds / 30 * 0.97
    prometheus = answering({"count_over_time": samples, "edu_signups": 12.0}, asked)
    found = {one.measure: one for one in collect(prometheus, in_zone(Stage.B, "Europe/Berlin"), [day], "p")}
    sign_ups = found[Measure.SIGN_UPS]
    assert (sign_ups.value, sign_ups.day) == (12.0, day)
    assert sign_ups.coverage == pytest.approx(0.97)
    assert {moment for _, moment in asked} == {bounds(day, BERLIN)[1].timestamp()}
    windows = [query for query, _ in asked if f"[{seconds}s" in query]
    assert len(windows) == len(asked) - 1, "only the sign-ups are asked for without a window"


def test_what_has_no_sample_is_recorded_as_unknown() -> None:
    prometheus = answering({}, [])
    found = list(collect(prometheus, stages()[Stage.B], [date(2026, 11, 25)], "p"))
    assert {(one.value, one.coverage) for one in found} == {(None, 0.0)}
    assert len(found) == len(questions(stages()[Stage.B]))


@pytest.mark.parametrize("stage", Stage)
def test_every_question_reads_metrics_of_the_contract(stage: Stage) -> None:
    config = stages()[stage]
    known = recorded_jobs(rule_groups(config, frozenset(Job), Fleet(gpus=1, engines=1)))
    for asked in questions(config):
        for expression in (asked.expression.format(window="86400s"), asked.samples):
            assert jobs_of(expression, "facts", known)


@pytest.mark.parametrize("stage", Stage)
def test_the_networks_figure_is_asked_of_the_hosts_both_ways(stage: Stage) -> None:
    (asked,) = (one for one in questions(stages()[stage]) if one.measure is Measure.NETWORK_MBIT_PER_SECOND)
    expression = asked.expression.format(window="86400s")
    assert jobs_of(expression, "facts") == {Job.NODE}
    assert expression.startswith("max_over_time((max(")
    assert expression.endswith("[86400s:5m])")
    ways = [f"node_network_{way}_bytes_total" for way in ("receive", "transmit")]
    assert [expression.count(way) for way in ways] == [1, 2], "the first where it is above the second, else the second"


def test_a_cache_is_asked_for_only_where_there_is_one() -> None:
    with_cache = {
        stage for stage in Stage if Measure.CACHE_MISS_RATIO in {q.measure for q in questions(stages()[stage])}
    }
    assert with_cache == {Stage.B, Stage.C, Stage.D, Stage.E}


CSV = """measure,day,value,source,coverage
revenue_usd,2026-10-31,12345.5,books,
sign_ups,2026-11-25,,product database,0.5
"""


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    table, listed = tmp_path / "facts.csv", tmp_path / "facts.json"
    table.write_text(CSV)
    listed.write_text(
        '[{"measure": "revenue_usd", "day": "2026-10-31", "value": 12345.5, "source": "books"},'
        '{"measure": "sign_ups", "day": "2026-11-25", "value": null, "source": "product database", "coverage": 0.5}]'
    )
    day = date(2026, 10, 31)
    assert import_facts(table) == import_facts(listed)
    assert import_facts(table)[0] == Fact(measure=Measure.REVENUE_USD, day=day, value=12345.5, source="books")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("measure,day,value,source\nsignups,2026-11-25,1,x\n", "'signups' is no measure"),
        ("measure,day,value,source\nsign_ups,25.11.2026,1,x\n", "line 2: .*isoformat"),
        ("measure,day,value,source\nsign_ups,2026-11-25,many,x\n", "could not convert"),
        ("measure,day,value,source\nsign_ups,2026-11-25,-1,x\n", "finite number from 0"),
        ("measure,day,value,source\nsign_ups,2026-11-25,1,\n", "its source is named"),
        ("measure,day,value\nsign_ups,2026-11-25,1\n", "lacks source"),
        ("measure,day,value,source,note\nsign_ups,2026-11-25,1,x,y\n", "has note"),
        ("measure,day,value,source\nsign_ups,2026-11-25,1,x\nsign_ups,2026-11-25,2,x\n", "line 3: is a second"),
    ],
)
def test_what_is_no_fact_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(text)
    with pytest.raises(DreamSeedError, match=words):
        import_facts(path)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{}"), ("a.json", "["), ("a.xlsx", ""), ("none.csv", None)])
def test_a_file_that_holds_no_facts_is_refused(tmp_path: Path, name: str, text: str | None) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(DreamSeedError):
        import_facts(path)
