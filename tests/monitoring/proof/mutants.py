"""Mutants of an alert: another threshold, window or comparison, each of which the cases must notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import promql_parser

from dreamseed.monitoring.model import Alert, Recording

SMALL = 20
"""Whole numbers up to here are changed by one, all others by a tenth."""
_SKIPPED = r'"(?:[^"\\]|\\.)*"|\{[^}]*\}'
_COMPARISON = re.compile(rf"(?P<skip>{_SKIPPED})|(?P<op>==|!=|>=|<=|>|<)")
_THRESHOLD = re.compile(
    rf"(?P<skip>{_SKIPPED})|(?P<before>(?:==|!=|>=|<=|>|<)\s*|histogram_quantile\(|\],\s*)(?P<number>-?\d+(?:\.\d+)?)"
)
_WINDOW = re.compile(rf"(?P<skip>{_SKIPPED})|\[(?P<window>\d+[smhdw])\]")
_OPPOSITE = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_BOUNDARY = {">": ">=", "<": "<=", ">=": ">", "<=": "<"}
_CONTINUOUS = re.compile(r"\b(rate|increase|histogram_quantile|predict_linear|avg_over_time|time)\b")
"""What is compared then is measured, not counted: it never lies exactly on a bound other than 0."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """An alert that differs from the planned one in one place: `what` says which."""

    what: str
    alert: Alert


def mutants(alert: Alert) -> Iterator[Mutant]:
    """Return every mutant of `alert`; each one is still PromQL."""
    text = alert.expression
    for changed, what in (*_comparisons(text), *_thresholds(text), *_windows(text)):
        promql_parser.parse(changed)
        yield Mutant(what=f"{alert.name}: {what}", alert=replace(alert, expression=changed))
    if alert.for_seconds:
        for seconds in (alert.for_seconds * 2, alert.for_seconds // 2):
            what = f"{alert.name}: for {alert.for_seconds}s → {seconds}s"
            yield Mutant(what=what, alert=replace(alert, for_seconds=seconds))


def _comparisons(text: str) -> Iterator[tuple[str, str]]:
    for found in _COMPARISON.finditer(text):
        operator = found["op"]
        if operator is None:
            continue
        others = [_OPPOSITE[operator]]
        zero = re.match(r"\s*0(?![.\d])", text[found.end() :]) and "predict_linear" not in text
        exact = zero or not _CONTINUOUS.search(text)
        if exact and operator in _BOUNDARY:
            others.append(_BOUNDARY[operator])
        for other in others:
            yield _with(text, found.span("op"), other), f"{operator} → {other} at {found.start()}"


def _thresholds(text: str) -> Iterator[tuple[str, str]]:
    for found in _THRESHOLD.finditer(text):
        if found["number"] is None:
            continue
        for other in _others(found["number"], bytes_left="predict_linear" in text):
            yield _with(text, found.span("number"), other), f"{found['number']} → {other} at {found.start('number')}"


def _others(number: str, *, bytes_left: bool) -> tuple[str, ...]:
    value = float(number)
    if value == 0 and bytes_left:
        return ("1e9", "-1e9")
    if value.is_integer() and abs(value) <= SMALL:
        return (f"{value + 1:g}", f"{value - 1:g}")
    return (f"{value * 1.1:.10g}", f"{value * 0.9:.10g}")


def _windows(text: str) -> Iterator[tuple[str, str]]:
    for found in _WINDOW.finditer(text):
        if found["window"] is None:
            continue
        seconds = int(promql_parser.parse_duration(found["window"]).total_seconds())
        for other in (seconds * 2, seconds // 2):
            changed = _with(text, found.span("window"), f"{other}s")
            yield changed, f"[{found['window']}] → [{other}s] at {found.start()}"


def _with(text: str, span: tuple[int, int], other: str) -> str:
    return text[: span[0]] + other + text[span[1] :]


def recording_mutants(recording: Recording) -> Iterator[tuple[str, str]]:
    """Return (what differs, expression) of a recording: its range in every place, and each number it divides by."""
    text = recording.expression
    window = next(found["window"] for found in _WINDOW.finditer(text) if found["window"])
    seconds = int(promql_parser.parse_duration(window).total_seconds())
    for other in (seconds * 2, seconds // 2):
        yield f"{recording.name}: [{window}] → [{other}s]", text.replace(f"[{window}]", f"[{other}s]")
    factor = re.search(r"[*/] (\d+(?:\.\d+)?)$", text)
    if factor:
        for share in (1.1, 0.9):
            changed = f"{float(factor[1]) * share:.10g}"
            yield f"{recording.name}: {factor[1]} → {changed}", _with(text, factor.span(1), changed)
