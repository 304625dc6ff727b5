"""The growth curves on a terminal: users of each month on a logarithmic scale, the stages' thresholds as lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import plotext  # type: ignore[import-untyped]
from rich.text import Text

from dreamseed.growth.forecast import Forecast, Spread

WIDTH, HEIGHT = 100, 24
"""Columns and rows, fixed so that the same forecast prints the same picture everywhere."""
CURVES = (("P90", "p90", "green"), ("P50", "p50", "cyan"), ("P10", "p10", "orange"))


def curves(shown: Forecast) -> Text:
    """Return the percentiles of the sign-ups over the months; colours vanish where the console shows none."""
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("simple")
    figure.plot_size(WIDTH, HEIGHT)
    figure.title(f"sign-ups by month: {shown.request.scenario}, model {shown.request.model}")
    ticks = dict(thresholds(shown))
    for height in ticks:
        figure.line(height, style="dotted")
    months = list(range(len(shown.users)))
    every = list(ticks)
    for label, name, colour in CURVES:
        heights = [math.log10(max(1.0, value)) for value in _values(shown.users, name)]
        every += heights
        signal = figure.signal(months, heights, marker=plotext.marker("braille", colour))
        signal.lines()
        signal.label(label)
        figure.draw(signal)
    # Without limits of its own an axis ends at its outermost tick, and the curves with it.
    figure.ruler("x", "lower").lim(0, months[-1])
    figure.ruler("y", "left").lim(min(every), max(every)).ticks(list(ticks), list(ticks.values()))
    return Text.from_ansi(figure.build().string())


def thresholds(shown: Forecast) -> Iterator[tuple[float, str]]:
    """Yield the height and the words of each threshold that the curves reach, or would reach next."""
    top = max(_values(shown.users, "p90"))
    for rung in shown.ladder[1:]:
        yield math.log10(rung.begins_above_sign_ups), f"{rung.stage} > {rung.begins_above_sign_ups:,}"
        if rung.begins_above_sign_ups > top:
            return


def _values(spreads: Sequence[Spread], name: str) -> list[float]:
    return [getattr(spread, name) for spread in spreads]
