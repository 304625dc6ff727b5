"""A replay as a picture: the rate, the share of late requests and the workers, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import matplotlib as mpl
from matplotlib.figure import Figure

from simulator.fleet.outcome import LATE_SHARE, OBJECTIVE_SECONDS, Minute, Outcome

MOST_POINTS = 720
"""A line of more is thinned to means: a fortnight does not fit a page."""


def figure_svg(outcomes: Sequence[Outcome]) -> str:
    """Return an SVG of the traffic and, for each autoscaler, late requests and workers; the same for the same runs."""
    text = StringIO()
    with mpl.rc_context({"svg.hashsalt": "dreamseed"}):
        _drawn(outcomes).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _drawn(outcomes: Sequence[Outcome]) -> Figure:
    figure = Figure(figsize=(11, 2 + 1.6 * len(outcomes)), layout="constrained")
    axes = figure.subplots(len(outcomes) + 1, 1, sharex=True, squeeze=False)[:, 0]
    first = outcomes[0]
    hours, rates = _line(first.minutes, [one.requests / 60 for one in first.minutes])
    axes[0].plot(hours, rates, color="0.3", linewidth=0.9)
    axes[0].set_ylabel("requests/s")
    axes[0].set_title(f"{first.trace} × {first.factor:.3g} at {first.stage}", fontsize=10, loc="left")
    for axis, outcome in zip(axes[1:], outcomes, strict=True):
        hours, late = _line(outcome.minutes, [one.late for one in outcome.minutes])
        axis.fill_between(hours, late, color="tab:red", alpha=0.7, linewidth=0)
        axis.axhline(LATE_SHARE, color="tab:red", linewidth=0.5)
        axis.set_ylim(0, 1)
        axis.set_ylabel("late")
        workers = axis.twinx()
        hours, serving = _line(outcome.minutes, [one.workers for one in outcome.minutes])
        workers.plot(hours, serving, color="tab:blue", linewidth=0.9, drawstyle="steps-post")
        workers.set_ylim(0, 2.2)
        workers.set_ylabel("workers", color="tab:blue")
        found = f"{outcome.outside} minutes outside, {outcome.usd:.2f} USD, {outcome.actions} actions"
        axis.set_title(f"{outcome.scaler}: {found}", fontsize=9, loc="left")
    axes[-1].set_xlabel(f"hours; late: share of a minute's requests that waited longer than {OBJECTIVE_SECONDS:g} s")
    return figure


def _line(minutes: Sequence[Minute], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return hours and values, each point the mean of as many minutes as make the line short enough."""
    each = -(-len(values) // MOST_POINTS)
    starts = range(0, len(values), each)
    means = [sum(values[at : at + each]) / len(values[at : at + each]) for at in starts]
    return [minutes[at].at / 60 for at in starts], means
