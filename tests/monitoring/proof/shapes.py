"""Series that several cases are made of, each built so that another window or threshold shows."""

from __future__ import annotations

from collections.abc import Mapping

from tests.monitoring.proof.series import Book, Counter, Gauge, Series, counter, gauge

SMALL = 0.5
"""Less than one event, so that a threshold of one instead of none shows."""


def quantile(
    metric: str, labels: str, bounds: tuple[str, str, str], slow: tuple[tuple[float, float], ...], a_second: float = 10
) -> dict[str, Series]:
    """Return the buckets of a histogram: (share above the middle bound, seconds) one after the other.

    What is fast lies below the middle bound and above the lowest one, what is slow below the highest.
    """
    comma = f"{labels}," if labels else ""
    within = counter(*((a_second * (1 - share), seconds) for share, seconds in slow))
    total = sum(seconds for _, seconds in slow)
    low, middle, high = bounds
    every = counter((a_second, total))
    return {
        f'{metric}_bucket{{{comma}le="{low}"}}': counter((0, total)),
        f'{metric}_bucket{{{comma}le="{middle}"}}': within,
        f'{metric}_bucket{{{comma}le="{high}"}}': every,
        f'{metric}_bucket{{{comma}le="+Inf"}}': every,
        f"{metric}_count{{{labels}}}": every,
    }


def any_increase(
    book: Book,
    alert: str,
    metric: str,
    window: int,
    labels: Mapping[str, str],
    besides: Mapping[str, Series] | None = None,
) -> None:
    """Add the cases of an alert on any increase of a counter within `window` seconds, without a duration."""
    step = max(30, window // 60)
    others = dict(besides or {})

    def shaped(*parts: tuple[float, float]) -> dict[str, Series]:
        return {**others, metric: counter(*parts)}

    once = (SMALL / step, float(step))
    book.fires(alert, window + step, shaped((0, window), once), labels, step=step, tick=step)
    kept = round(window * 0.8 / step) * step
    book.fires(
        alert, window + step + kept, shaped((0, window), once, (0, kept)), labels, step=step, tick=step, first=False
    )
    past = round(window * 1.3 / step) * step
    book.silent(alert, window + step + past, shaped((0, window), once, (0, past)), step=step, tick=step)
    book.silent(alert, 2 * window, shaped((0, 2 * window)), step=step, tick=step)


def change(before: float, after: float, lasts: float, since: float = 300) -> Gauge:
    """Return a gauge that is `before` for `since` seconds and `after` for as long as it `lasts`."""
    return gauge((before, since), (after, lasts))


def now_and_then(first: float, every: float, until: float, step: int, amount: float = SMALL) -> Counter:
    """Return a counter that grows by `amount` at `first` and `every` so many seconds after."""
    parts: list[tuple[float, float]] = []
    passed = 0.0
    moment = first
    while moment < until:
        parts += [(0, moment - step - passed), (amount / step, step)]
        passed, moment = moment, moment + every
    return counter(*parts, (0, until - passed))
