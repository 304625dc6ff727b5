"""The comment on a pull request: one screen of Markdown, found again by its first line and edited in place."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.cost.diff import CostDiff, LineChange
from dreamseed.cost.guardrails import Verdict
from dreamseed.interval import Interval

MARKER = "<!-- dreamseed-cost -->"
MOST_LINES = 12
MARKS = {Verdict.PASS: "✅", Verdict.ACCEPTED: "🟡", Verdict.FAIL: "❌"}


def comment(diff: CostDiff) -> str:
    """Return the comment; `dreamseed.github` finds it again by its first line, `MARKER`."""
    return "\n".join(_lines(diff)) + "\n"


def _lines(diff: CostDiff) -> Iterator[str]:
    yield MARKER
    yield f"### Cost of this change: {diff.change_usd:+,.2f} USD a month ({diff.change_ratio:+.1%})"
    yield ""
    headroom = diff.after.headroom_usd()
    state = f"{headroom:,.2f} USD left" if headroom >= 0 else f"{-headroom:,.2f} USD over"
    yield f"{diff.before.plan.name} → {diff.after.plan.name}, budget {diff.after.budget_usd:,.0f} USD: **{state}**"
    yield ""
    yield "| | before | after | change |"
    yield "| --- | ---: | ---: | ---: |"
    for change in diff.changes[:MOST_LINES]:
        yield _row(change)
    rest = diff.changes[MOST_LINES:]
    if rest:
        yield f"| {len(rest)} smaller changes | | | {sum(change.change_usd for change in rest):+,.2f} |"
    if not diff.changes:
        yield "| no line changes | | | |"
    before, after = diff.before.total, diff.after.total
    yield f"| **expected** | {before.expected:,.2f} | {after.expected:,.2f} | **{diff.change_usd:+,.2f}** |"
    yield f"| low to high | {_range(before)} | {_range(after)} | |"
    yield ""
    for rule in diff.guardrails:
        yield f"- {MARKS[rule.verdict]} {rule.name}: {rule.found}"


def _row(change: LineChange) -> str:
    return f"| {change.name} | {_usd(change.before_usd)} | {_usd(change.after_usd)} | {change.change_usd:+,.2f} |"


def _usd(usd: float | None) -> str:
    return "–" if usd is None else f"{usd:,.2f}"


def _range(interval: Interval) -> str:
    return f"{interval.low:,.0f}–{interval.high:,.0f}"
