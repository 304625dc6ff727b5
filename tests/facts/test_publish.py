from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.facts.publish import newest_drills, publish_drills
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.metrics import METRICS
from tests.facts.test_drill import TAKEN, drill

NOW = TAKEN + timedelta(days=9)


def sent(*facts: Any, status: int = 200) -> tuple[str, dict[str, Any]]:
    """Return the path that was asked and what was sent to it."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    publish_drills("http://prometheus:9090", facts, NOW, httpx.MockTransport(answer))
    return asked[0].url.path, json.loads(asked[0].content)


def values(content: dict[str, Any]) -> dict[tuple[str, str], float]:
    [resource] = content["resourceMetrics"]
    [scope] = resource["scopeMetrics"]
    found = {}
    for metric in scope["metrics"]:
        [point] = metric["gauge"]["dataPoints"]
        [label] = point["attributes"]
        assert (label["key"], point["timeUnixNano"]) == ("stage", str(int(NOW.timestamp()) * 10**9))
        found[metric["name"], label["value"]["stringValue"]] = point["asDouble"]
    return found


def test_what_is_pushed_is_what_the_contract_says_the_job_exports() -> None:
    path, content = sent(drill())
    assert path == "/api/v1/otlp/v1/metrics"
    [attribute] = content["resourceMetrics"][0]["resource"]["attributes"]
    assert attribute == {"key": "service.name", "value": {"stringValue": Job.DRILL.value}}
    assert {name for name, _ in values(content)} == METRICS[Job.DRILL]


def test_the_newest_drill_of_each_stage_is_told_with_when_one_last_passed() -> None:
    older, failed = drill(taken_at=TAKEN), drill(taken_at=TAKEN + timedelta(days=1), passed=False, rpo_seconds=None)
    other = drill(stage=Stage.B, taken_at=TAKEN, rpo_seconds=9.0)
    found = values(sent(failed, older, other)[1])
    assert found["restore_drill_taken_timestamp_seconds", "A"] == failed.taken_at.timestamp()
    assert found["restore_drill_passed_timestamp_seconds", "A"] == older.taken_at.timestamp()
    assert ("restore_drill_rpo_seconds", "A") not in found
    assert found["restore_drill_rpo_seconds", "B"] == 9.0


def test_a_drill_that_never_passed_or_missed_rows_has_passed_in_1970() -> None:
    for fact in (drill(passed=False), drill(missing_rows=1)):
        assert values(sent(fact)[1])["restore_drill_passed_timestamp_seconds", "A"] == 0.0


def test_drills_are_ordered_by_when_they_were_taken_and_not_as_they_come() -> None:
    first, second = drill(taken_at=datetime(2026, 1, 2, tzinfo=UTC)), drill(taken_at=datetime(2026, 1, 3, tzinfo=UTC))
    assert newest_drills([second, first]) == ((second, second.taken_at),)


def test_a_prometheus_that_refuses_and_a_folder_without_drills_are_told() -> None:
    with pytest.raises(DreamSeedError, match="does not take metrics: Client error '404"):
        sent(drill(), status=404)
    with pytest.raises(DreamSeedError, match="holds no signed drill"):
        sent()
