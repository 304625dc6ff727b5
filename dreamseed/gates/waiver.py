"""A waiver: one line of one gate, let pass for a time and a reason by the role that answers for it, signed.

A restore drill cannot be waived: no backup is what kills. Source: the growth plan, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.gates.model import Gate, Group, Line, Verdict
from dreamseed.signing import Trust, digest, read_signed, write_signed

WAIVERS_FOLDER = Path("approvals", "waivers")
WAIVER_NAMESPACE = "gate-waiver"
WAIVER_DAYS = 30
"""So long does a waiver hold at most. A choice."""
DRILL_LINE = "restore-drill"
ANSWERS_FOR: Mapping[Group, str] = MappingProxyType(
    {Group.METRICS: "cto", Group.FINANCE: "cfo", Group.TECHNICAL: "cto"}
)


class WaiverRecord(BaseModel):
    """What is signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: Literal["waiver"] = "waiver"
    from_stage: Stage = Field(alias="from")
    to_stage: Stage = Field(alias="to")
    line: str = Field(min_length=1)
    role: str
    reason: str = Field(min_length=20, description="a sentence that says why the line may be passed over")
    made_on: date
    until: date


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A record whose signature was verified; `digest` names it."""

    record: WaiverRecord
    digest: str

    def holds(self, gate: Gate, day: date) -> bool:
        """Tell whether it speaks of this gate and still holds on `day`."""
        one = self.record
        return (one.from_stage, one.to_stage) == (gate.from_stage, gate.to_stage) and one.made_on <= day <= one.until


def write_waiver(folder: Path, record: WaiverRecord, key: Path) -> Path:
    """Write a signed waiver into `folder`; raises `DreamSeedError` when it may not be, or cannot be signed."""
    _check(record, f"waiver of {record.line}")
    path = folder / f"{record.made_on:%Y%m%d}-{record.from_stage}-{record.to_stage}-{record.line}.json"
    write_signed(path, record.model_dump(mode="json", by_alias=True), key, WAIVER_NAMESPACE)
    return path


def read_waiver(path: Path, trust: Trust, at: datetime) -> Waiver:
    """Return the waiver at `path`; raises `DreamSeedError` when the role that answers for the line did not sign it."""
    errors: list[DreamSeedError] = []
    for role in sorted(set(ANSWERS_FOR.values())):
        try:
            content, _ = read_signed(path, principals=(role,), namespace=WAIVER_NAMESPACE, trust=trust, at=at)
        except DreamSeedError as error:
            errors.append(error)
            continue
        try:
            record = WaiverRecord.model_validate(content)
        except ValidationError as error:
            raise _refused(str(path), f"is no waiver ({error.error_count()} faults)", "it has one form") from error
        if record.role != role:
            raise _refused(str(path), f"says {record.role} and is signed by {role}", "the signer answers for it")
        _check(record, str(path))
        return Waiver(record=record, digest=digest(content))
    raise errors[0]


def apply(gate: Gate, waivers: Sequence[Waiver], now: datetime) -> Gate:
    """Return the gate with the lines waived that are not met and that a valid waiver names."""
    today = now.astimezone(UTC).date()
    held = [one for one in waivers if one.holds(gate, today)]
    return replace(gate, lines=tuple(_waived(line, held) for line in gate.lines))


def _waived(line: Line, held: Sequence[Waiver]) -> Line:
    if line.verdict is Verdict.PASS or line.key == DRILL_LINE:
        return line
    of_line = (one for one in held if (one.record.line, one.record.role) == (line.key, ANSWERS_FOR[line.group]))
    found = next(of_line, None)
    return line.waived(f"{found.record.reason}, until {found.record.until}", found.digest) if found else line


def _check(record: WaiverRecord, where: str) -> None:
    if record.line == DRILL_LINE:
        raise _refused(where, "waives the restore drill", "nothing is promoted without a backup that was restored")
    if not record.made_on <= record.until <= record.made_on + timedelta(days=WAIVER_DAYS):
        raise _refused(
            where,
            f"holds from {record.made_on} until {record.until}",
            f"a waiver ends, {WAIVER_DAYS} days after it was made at the latest",
        )


def _refused(where: str, what: str, why: str) -> DreamSeedError:
    return DreamSeedError(where, what, why, "dreamseed approve waive --line … --reason … --until …")
