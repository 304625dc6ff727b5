"""Cases of the burn alerts, and what each recorded ratio is over a history in which every range tells another story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.monitoring.proof.series import Book, Expectation, Series, counter, gauge

# The share of failures and the least events, by objective: 1 h, 6 h, 1 d, 3 d. Stage E: availability 99.9 %; 95 % and
# 99 % of answers in time; 99.5 % of generations succeed. Shares are the SRE workbook's k × budget: k 14.4, 6, 3, 1.
TABLE = {
    "api-availability": ("ApiAvailability", (0.0144, 0.006, 0.003, 0.001), (695, 1_667, 3_334, 10_000)),
    "api-latency-p95": ("ApiLatencyP95", (0.72, 0.3, 0.15, 0.05), (14, 34, 67, 200)),
    "api-latency-p99": ("ApiLatencyP99", (0.144, 0.06, 0.03, 0.01), (70, 167, 334, 1_000)),
    "generation-latency": ("GenerationLatency", (0.72, 0.3, 0.15, 0.05), (14, 34, 67, 200)),
    "generation-success": ("GenerationSuccess", (0.072, 0.03, 0.015, 0.005), (139, 334, 667, 2_000)),
}
WINDOWS = (("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h"))
SECONDS = {"5m": 300, "30m": 1_800, "1h": 3_600, "2h": 7_200, "6h": 21_600, "1d": 86_400, "3d": 259_200}
MONTH = 30 * 86_400


def burns(book: Book) -> None:
    """Write down for each objective and pair of windows: both burn, only one does, too few events."""
    for name, (stem, shares, least) in TABLE.items():
        for (long, short), share, events in zip(WINDOWS, shares, least, strict=True):
            alert = f"{stem}Burn{long}"
            above, at = share * 1.02, share * 0.98
            book.fires(alert, 300, _recorded(name, long, short, (above, above, events)), {}, first=False)
            # Exactly the threshold is not above it.
            for values in (
                (at, above, events),
                (above, at, events),
                (share, above, events),
                (above, share, events),
                (above, above, events - 1),
            ):
                book.silent(alert, 300, _recorded(name, long, short, values))


def _recorded(name: str, long: str, short: str, values: tuple[float, float, float]) -> dict[str, Series]:
    series = (f"slo:error_ratio:rate{long}", f"slo:error_ratio:rate{short}", f"slo:events:increase{long}")
    return {
        f'{record}{{slo="{name}"}}': gauge((round(value, 10), 300))
        for record, value in zip(series, values, strict=True)
    }


def expectations() -> Iterator[Expectation]:
    """Return what every recording of the objectives is, four days and a month in."""
    for name in TABLE:
        for window, seconds in SECONDS.items():
            failed, counted = _over(seconds)
            yield _expected(name, f"slo:error_ratio:rate{window}", failed / counted)
        failed, counted = _over(SECONDS["5m"])
        yield _expected(name, "slo:failures:rate5m", failed)
        yield _expected(name, "slo:events:rate5m", counted)
        for long, _ in WINDOWS:
            yield _expected(name, f"slo:events:increase{long}", _over(SECONDS[long])[1] * SECONDS[long])
        yield _left(name)


def _expected(name: str, record: str, value: float) -> Expectation:
    return Expectation(
        record=record, labels={"slo": name}, seconds=HISTORY[0][0], series=_history(name), value=value, step=STEP
    )


BEGUN = 1e6
HISTORY = (
    (345_600, 1, 0.0),
    (259_200, 2, 1 / 64),
    (86_400, 3, 1 / 32),
    (43_200, 4, 3 / 64),
    (21_600, 5, 1 / 16),
    (7_200, 6, 1 / 8),
    (3_600, 7, 1 / 4),
    (1_800, 8, 1 / 2),
    (300, 9, 3 / 4),
    (180, 10, 1.0),
)
"""Events a second, and the share of failures among them, from so many seconds ago on."""
STEP = 60


def _parts() -> list[tuple[float, float, float]]:
    """Return (failures a second, events a second, seconds) one after the other, up to now."""
    until = [since for since, _, _ in HISTORY[1:]] + [0]
    return [(rate * share, rate, since - end) for (since, rate, share), end in zip(HISTORY, until, strict=True)]


def _over(seconds: int) -> tuple[float, float]:
    """Return the failures and the events a second of the last so many seconds, as Prometheus sees them.

    Ranges exclude their left end, so that the first of the samples is one step inside; the rest is extrapolated.
    """
    covered = seconds - STEP
    failed = counted = passed = 0.0
    for failing, rate, lasts in reversed(_parts()):
        part = min(lasts, covered - passed)
        failed, counted, passed = failed + failing * part, counted + rate * part, passed + part
    return failed / covered, counted / covered


def _history(name: str) -> dict[str, Series]:
    return _events(name, _parts())


def _events(name: str, parts: Sequence[tuple[float, float, float]]) -> dict[str, Series]:
    """Return the raw series of an objective under (failures a second, events a second, seconds)."""
    # Not from nothing: rate() takes a counter that begins there for a new one.
    failed, refused, errors = (
        counter(*((failing * share, seconds) for failing, _, seconds in parts), start=BEGUN)
        for share in (1, 0.75, 0.25)
    )
    good = counter(*((rate - failing, seconds) for failing, rate, seconds in parts), start=BEGUN)
    every = counter(*((rate, seconds) for _, rate, seconds in parts), start=2 * BEGUN)
    slow = counter(*((0, seconds) for _, _, seconds in parts))
    api, engine = 'job="api",kind="plain"', 'job="vllm",instance="v",model_name="m",engine="0"'
    if name == "api-availability":
        return {f'http_requests_total{{{api},status="{kind}"}}': one for kind, one in (("5xx", failed), ("2xx", good))}
    if name == "generation-success":
        finished = f"vllm:request_success_total{{{engine},finished_reason="
        return {
            f'{finished}"stop"}}': good,
            f'{finished}"error"}}': errors,
            'vllm:admission_rejections_total{job="vllm",instance="v",model_name="m",reason="r"}': refused,
        }
    metric, labels, bound, other = {
        "api-latency-p95": ("http_request_duration_seconds", api, "0.3", "0.5"),
        "api-latency-p99": ("http_request_duration_seconds", api, "0.5", "0.3"),
        "generation-latency": ("vllm:e2e_request_latency_seconds", engine, "5.0", "2.5"),
    }[name]
    return {
        f'{metric}_bucket{{{labels},le="{bound}"}}': good,
        f'{metric}_bucket{{{labels},le="{other}"}}': slow,
        f'{metric}_bucket{{{labels},le="+Inf"}}': every,
        f"{metric}_count{{{labels}}}": every,
    }


def _left(name: str) -> Expectation:
    """Return a month in which half of the budget was used, most of it early, after a day on which everything failed."""
    budget = {"api-availability": 0.001, "api-latency-p99": 0.01, "generation-success": 0.005}.get(name, 0.05)
    # As many events in the second half as in the first, twice as many as on the day before.
    failed = gauge((4, 86_400), (8 * budget * 0.6, MONTH / 2), (8 * budget * 0.4, MONTH / 2))
    return Expectation(
        record="slo:error_budget_remaining:ratio",
        labels={"slo": name},
        seconds=MONTH + 86_400,
        series={
            f'slo:failures:rate5m{{slo="{name}"}}': failed,
            f'slo:events:rate5m{{slo="{name}"}}': gauge((4, 86_400), (8, MONTH)),
        },
        # A month's 720 hours begin with the first one after the day; the last value is there twice.
        result=f'{{slo="{name}"}}',
        value=1 - (0.6 * 359 + 0.4 * 361) / 720,
        step=3_600,
    )
