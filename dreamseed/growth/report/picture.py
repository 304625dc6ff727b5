"""The growth curves as an SVG file: the same forecast writes the same bytes."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from dreamseed.growth.forecast import Forecast

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "dreamseed",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
}
BAND, MIDDLE, THRESHOLD, MONEY, COST = "#9ecae1", "#08519c", "#737373", "#238b45", "#cb181d"


def forecast_svg(shown: Forecast, *, narrow: bool = False) -> str:
    """Return the picture: sign-ups with their P10 to P90 and the stages' thresholds, below it revenue and cost.

    `narrow` is for a phone: the same curves on half the width, their legends below each other.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 9) if narrow else (10, 8), layout="constrained")
        FigureCanvasSVG(figure)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _users(above, shown)
        _money(below, shown)
        for axes in (above, below):
            beside = {"loc": "lower left", "bbox_to_anchor": (0, 1)} if narrow else {"bbox_to_anchor": (1, 1)}
            axes.legend(**({"loc": "upper left", "frameon": False} | beside))
        figure.suptitle(f"Growth: {shown.request.scenario}, model {shown.request.model}")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _users(axes: Axes, shown: Forecast) -> None:
    months = range(len(shown.months))
    low, middle, high = ([getattr(spread, name) for spread in shown.users] for name in ("p10", "p50", "p90"))
    axes.fill_between(months, low, high, color=BAND, label=f"P10 to P90 of {shown.request.runs:,} runs")
    axes.plot(months, middle, color=MIDDLE, linestyle="--", label="P50")
    axes.plot(months, [month.sign_ups for month in shown.months], color=MIDDLE, label="at the scenario's own values")
    for rung in shown.ladder[1:]:
        axes.axhline(rung.begins_above_sign_ups, color=THRESHOLD, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{rung.stage} above {rung.begins_above_sign_ups:,}",
            (0, rung.begins_above_sign_ups),
            textcoords="offset points",
            xytext=(2, -3),
            verticalalignment="top",
            color=THRESHOLD,
        )
    _logarithmic(axes, "sign-ups")


def _money(axes: Axes, shown: Forecast) -> None:
    months = [month.month for month in shown.months]
    axes.plot(months, [month.revenue_usd for month in shown.months], color=MONEY, label="revenue")
    axes.plot(months, [month.cost_usd for month in shown.months], color=COST, drawstyle="steps-post", label="cost")
    axes.fill_between(
        months,
        [month.cost_low_usd for month in shown.months],
        [month.cost_high_usd for month in shown.months],
        color=COST,
        alpha=0.2,
        step="post",
        label="cost, low to high",
    )
    _logarithmic(axes, "USD a month")
    axes.set_xlabel(f"month after {shown.request.start}")


def _logarithmic(axes: Axes, label: str) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.set_ylabel(label)
    axes.grid(visible=True, linewidth=0.3)


def _thousands(value: float, _: float | None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
