"""Gates for people: Markdown, and a table in the terminal; for machines: JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from dreamseed.gates.model import Gate, Group, Verdict
from dreamseed.gates.timing import Timing

STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNKNOWN: "yellow", Verdict.WAIVED: "magenta"}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A gate, and when what it leads to is to be expected (None where it leads down)."""

    gate: Gate
    timing: Timing | None

    @property
    def title(self) -> str:
        """Return what the gate is, and its verdict."""
        way = " (down)" if self.gate.goes_down else ""
        return f"{self.gate.from_stage} → {self.gate.to_stage}{way}: {self.gate.verdict}"

    @property
    def sentence(self) -> str:
        """Return what follows from the verdict."""
        gate = self.gate
        if gate.verdict is Verdict.PASS:
            return "Everything is met: the CTO and the CFO may approve it (dreamseed approve)."
        due = "A trigger is sustained: the review is open." if gate.is_due else "No trigger is sustained: hold."
        counts = [
            f"{sum(line.verdict is verdict for line in gate.missing)} {verdict}"
            for verdict in (Verdict.FAIL, Verdict.UNKNOWN)
        ]
        return f"{due} Not met: {', '.join(counts)} of {len(gate.lines)} lines. Unknown is not pass."


def as_json(decision: Decision) -> dict[str, Any]:
    """Return the gate's record with its digest, and the timing."""
    found = decision.timing
    return {
        **decision.gate.record(),
        "digest": decision.gate.digest,
        "timing": None
        if found is None
        else {
            "stage": found.stage.value,
            "weeks": None if found.weeks is None else round(found.weeks, 1),
            "expected_on": str(found.expected_on) if found.expected_on else None,
            "order": found.order,
            "order_by": str(found.order_by) if found.order_by else None,
            "why": found.why,
        },
    }


def timing_words(found: Timing) -> str:
    """Return the timing in a sentence."""
    if found.expected_on is None or found.weeks is None:
        return f"Stage {found.stage}: {found.why}. It needs {found.order}."
    when = f"in {found.weeks:.0f} weeks, about {found.expected_on}" if found.weeks else "now"
    by = f", ordered by {found.order_by}" if found.order_by else ""
    by = f", to be ordered at once: that was due on {found.order_by}" if found.is_late else by
    return f"Stage {found.stage} is expected {when} ({found.why}). It needs {found.order}{by}."


def as_markdown(decisions: Sequence[Decision]) -> str:
    """Return the gates as Markdown."""
    return "\n".join(line for decision in decisions for line in _markdown(decision))


def _markdown(decision: Decision) -> Iterator[str]:
    yield from (f"# Gate {decision.title}", "", f"As of {decision.gate.day}. {decision.sentence}", "")
    for group in Group:
        lines = [line for line in decision.gate.lines if line.group is group]
        if lines:
            yield from (f"## {group.capitalize()}", "", "| verdict | asked | found |", "| --- | --- | --- |")
            for line in lines:
                cells = (f"**{line.verdict}**", f"{line.asks}{' (trigger)' if line.trigger else ''}", line.evidence)
                yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
            yield ""
    if decision.timing:
        yield from ("## Timing", "", timing_words(decision.timing), "")


def as_table(decision: Decision) -> Table:
    """Return the gate as a table for the terminal."""
    table = Table(title=f"Gate {decision.title}, as of {decision.gate.day}", title_justify="left")
    for heading in ("", "verdict", "asked", "found"):
        table.add_column(heading)
    before = None
    for line in decision.gate.lines:
        group = "" if line.group is before else line.group.value
        asked = f"{line.asks}{' (trigger)' if line.trigger else ''}"
        table.add_row(group, Text(line.verdict, style=STYLES[line.verdict]), asked, line.evidence)
        before = line.group
    table.caption = "\n".join([decision.sentence, *([timing_words(decision.timing)] if decision.timing else [])])
    table.caption_justify = "left"
    return table
