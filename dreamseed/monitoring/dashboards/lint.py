"""What a reader of a dashboard, or Grafana's own linter, would find wrong.

The rules are those of grafana/dashboard-linter that fit files made by a program, read 2026-11: a data source by
variable, title, description and unit, queries that are PromQL on known metrics, rates over $__rate_interval or a range
that the panel's text names, no empty panel, none on another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dreamseed.errors import PlanError
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.dashboards.board import as_promql
from dreamseed.monitoring.metrics import jobs_of

SHORT_RANGE = re.compile(r"\b(?:rate|increase)\([^\[\]]*\[(?P<range>\d+[smh])\]")
LONGEST_SHORT_SECONDS = 1_800


def faults(content: Mapping[str, Any], recorded: Mapping[str, frozenset[Job]]) -> tuple[str, ...]:
    """Return what is wrong with a dashboard's JSON model; `recorded` are the jobs behind the recorded series."""
    return tuple(_board_faults(content)) + tuple(
        f"{panel.get('title') or panel.get('id')}: {fault}"
        for panel in content["panels"]
        for fault in _panel_faults(panel, recorded)
    )


def _board_faults(content: Mapping[str, Any]) -> Iterator[str]:
    variables = [(one["type"], one.get("query")) for one in content["templating"]["list"]]
    if ("datasource", "prometheus") not in variables:
        yield "no variable for the data source"
    if not all(content.get(key) for key in ("uid", "title", "description", "panels")):
        yield "no uid, title, description or panel"
    panels = content["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "two panels share an id"
    if len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) != len(panels):
        yield "two panels lie on each other"


def _panel_faults(panel: Mapping[str, Any], recorded: Mapping[str, frozenset[Job]]) -> Iterator[str]:
    if not panel.get("title") or not panel.get("description") or not panel["fieldConfig"]["defaults"].get("unit"):
        yield "no title, description or unit"
    if not panel["targets"]:
        yield "no query"
    for target in panel["targets"]:
        if target["datasource"]["uid"] != "${datasource}":
            yield "a query past the data source's variable"
        for found in SHORT_RANGE.finditer(target["expr"]):
            if _seconds(found["range"]) <= LONGEST_SHORT_SECONDS:
                yield f"a rate over the fixed range {found['range']}"
        try:
            jobs_of(as_promql(target["expr"]), str(panel.get("title")), recorded)
        except PlanError as error:
            yield error.what


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3_600}[duration[-1]]
