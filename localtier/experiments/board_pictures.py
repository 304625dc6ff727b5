"""A stage's dashboards drawn from its live Prometheus: the panels' own queries, by matplotlib and not by Grafana.

Grafana itself does not run in a tier: production pulls its image, and no package registry that is used here holds it.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from dreamseed.planning.services.monitoring_grafana import planned_dashboards
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.review.prometheus import Prometheus
from localtier.experiments.panels import expression_of

COLUMNS = 2
STEP_SECONDS = 10
MOST_LINES = 10
"""Of one panel that are named in its legend."""
STYLE: dict[Any, Any] = {"svg.fonttype": "none", "font.size": 7, "svg.hashsalt": "dreamseed"}
MARK = "#cf222e"
UNITS = {"Mbits": "Mbit/s", "currencyUSD": "USD", "percent": "%", "percentunit": "share", "s": "seconds", "short": ""}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One panel with its lines by name: minutes since the beginning, and values."""

    title: str
    unit: str
    marks: tuple[float, ...]
    lines: Mapping[str, Sequence[tuple[float, float]]]


def pictures(plan: StagePlan, prometheus: Prometheus, begins: datetime, ends: datetime) -> dict[str, str]:
    """Return the picture of each dashboard of a stage by its file's name: what `prometheus` saw between two moments."""
    return {
        f"live-{board['uid'].removeprefix('dreamseed-')}.svg": picture(
            board, read(board, prometheus, begins, ends), plan.name
        )
        for board in planned_dashboards(plan.containers)
    }


def read(board: Mapping[str, Any], prometheus: Prometheus, begins: datetime, ends: datetime) -> tuple[Drawn, ...]:
    """Return the panels of a dashboard, as Grafana reads it, with what `prometheus` answers between two moments."""
    return tuple(_read(panel, prometheus, begins, ends) for panel in board["panels"])


def picture(board: Mapping[str, Any], panels: Sequence[Drawn], stage: str) -> str:
    """Return the dashboard's picture as SVG; its title says what it is drawn from."""
    rows = math.ceil(len(panels) / COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 2.1 * rows + 0.6), layout="constrained")
        FigureCanvasSVG(figure)
        grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        figure.suptitle(f"{board['title']}: {stage} on one machine, drawn by matplotlib from its live Prometheus")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return re.sub(r" +$", "", text.getvalue(), flags=re.MULTILINE)


def name_of(legend: str, labels: Mapping[str, str]) -> str:
    """Return a line's name: Grafana's ``{{label}}`` replaced, or all labels where the panel names none."""
    if not legend:
        return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key != "__name__")
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), legend)


def _read(panel: Mapping[str, Any], prometheus: Prometheus, begins: datetime, ends: datetime) -> Drawn:
    lines: dict[str, Sequence[tuple[float, float]]] = {}
    for target in panel["targets"]:
        for labels, values in prometheus.ranges(expression_of(target), begins, ends, STEP_SECONDS):
            points = [((at - begins).total_seconds() / 60, value) for at, value in values]
            lines[name_of(target.get("legendFormat", ""), labels)] = points
    defaults = panel["fieldConfig"]["defaults"]
    steps = defaults.get("thresholds", {}).get("steps", ())
    return Drawn(
        title=panel["title"],
        unit=defaults.get("unit", ""),
        marks=tuple(step["value"] for step in steps if step["value"] is not None),
        lines=lines,
    )


def _draw(axes: Axes, panel: Drawn) -> None:
    axes.set_title(panel.title, fontsize=8)
    axes.set_ylabel(UNITS.get(panel.unit, panel.unit))
    axes.set_xlabel("minutes")
    for name, points in panel.lines.items():
        axes.plot([at for at, _ in points], [value for _, value in points], linewidth=0.9, label=name)
    highest = max((value for points in panel.lines.values() for _, value in points), default=0.0)
    for mark in panel.marks:
        # A mark far above what was seen would press every line to the ground.
        if mark <= 2 * highest:
            axes.axhline(mark, color=MARK, linewidth=0.6, linestyle=":")
    if panel.lines:
        axes.legend(*(part[:MOST_LINES] for part in axes.get_legend_handles_labels()), fontsize=5, frameon=False)
    else:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, horizontalalignment="center")
