"""A gate as a value: one line a question, each with its verdict and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from dreamseed.config import Stage
from dreamseed.signing import digest


class Verdict(StrEnum):
    """What is said of a question. Unknown is not pass: nothing is promoted on what nobody measured."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class Group(StrEnum):
    """The parts of the plan's checklist, in its order. Source: the growth plan, section 3."""

    METRICS = "metrics"
    FINANCE = "finance"
    TECHNICAL = "technical"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One question of a gate. `evidence` says the numbers, `facts` the hashes of the rows and records they are from."""

    key: str
    group: Group
    asks: str
    verdict: Verdict
    evidence: str
    facts: tuple[str, ...] = ()
    trigger: bool = False

    @property
    def met(self) -> bool:
        """Tell whether the line stands in the way of nothing."""
        return self.verdict in (Verdict.PASS, Verdict.WAIVED)

    def waived(self, why: str, record: str) -> Line:
        """Return the line as waived by a signed record; its evidence still says what was found."""
        evidence = f"{self.evidence} ({self.verdict}; waived: {why})"
        return replace(self, verdict=Verdict.WAIVED, evidence=evidence, facts=(*self.facts, record))


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gate between two neighbouring stages on a day: the last local day that was over.

    Going up needs every line. Going down needs one trigger, and every line that is none.
    """

    from_stage: Stage
    to_stage: Stage
    day: date
    lines: tuple[Line, ...]

    @property
    def goes_down(self) -> bool:
        """Tell whether it is the gate to the stage before."""
        return self.to_stage.rank < self.from_stage.rank

    @property
    def is_due(self) -> bool:
        """Tell whether a trigger is sustained: its review is open. Any one does."""
        return any(line.trigger and line.verdict is Verdict.PASS for line in self.lines)

    @property
    def verdict(self) -> Verdict:
        """Return pass only when nothing that must be met is failed or unknown."""
        needed = [line for line in self.lines if not (self.goes_down and line.trigger)]
        found = [line.verdict for line in needed if not line.met]
        if self.goes_down and not self.is_due:
            found.append(_best(line.verdict for line in self.lines if line.trigger))
        return Verdict.FAIL if Verdict.FAIL in found else Verdict.UNKNOWN if found else Verdict.PASS

    @property
    def missing(self) -> tuple[Line, ...]:
        """Return the lines that are not met."""
        return tuple(line for line in self.lines if not line.met)

    def record(self) -> dict[str, Any]:
        """Return the gate as a JSON value: what an approval is bound to by its digest."""
        return {
            "from": self.from_stage.value,
            "to": self.to_stage.value,
            "day": self.day.isoformat(),
            "verdict": self.verdict.value,
            "due": self.is_due,
            "lines": [
                {
                    "key": line.key,
                    "group": line.group.value,
                    "asks": line.asks,
                    "trigger": line.trigger,
                    "verdict": line.verdict.value,
                    "evidence": line.evidence,
                    "facts": list(line.facts),
                }
                for line in self.lines
            ],
        }

    @property
    def digest(self) -> str:
        """Return the digest of `record`."""
        return digest(self.record())


def _best(verdicts: Iterable[Verdict]) -> Verdict:
    """Return unknown when one of the triggers may yet hold, else fail."""
    return Verdict.UNKNOWN if Verdict.UNKNOWN in set(verdicts) else Verdict.FAIL
