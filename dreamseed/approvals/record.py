"""What the CTO and the CFO sign: everything that a promotion is decided on, named by digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_serializer

from dreamseed.catalog.promotion_rules import APPROVAL_DAYS
from dreamseed.config import Stage
from dreamseed.facts.drill import DIGEST_PATTERN
from dreamseed.gates.model import Gate, Verdict

ROLES = ("cto", "cfo")
APPROVAL_NAMESPACE = "stage-promotion"
Digest = Field(pattern=f"^{DIGEST_PATTERN}$")


class Cost(BaseModel):
    """The expected month before and after, USD, and the digest of the whole difference line by line."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    before_usd: float
    after_usd: float
    digest: str = Digest


class Basis(BaseModel):
    """What an approval is bound to. When one of these is another, the approval is void.

    `gate`, `plan` and `prices` are digests of the gate's record, the engine's preview and the price book; `commit` is
    the program's in git.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: str = Digest
    cost: Cost
    plan: str = Digest
    prices: str = Digest
    commit: str = Field(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")


class Approval(BaseModel):
    """One link of the chain. `previous` is the digest of the record before, of nothing for the first."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: Literal["approval"] = "approval"
    number: int = Field(ge=1)
    previous: str = Digest
    from_stage: Stage = Field(alias="from")
    to_stage: Stage = Field(alias="to")
    lines: dict[str, Verdict] = Field(description="each line of the gate and its verdict, for whoever reads it")
    basis: Basis
    drawn_up_at: AwareDatetime
    not_before: AwareDatetime = Field(description="the date of the promotion, which the plan's checklist asks for")
    expires_at: AwareDatetime

    @field_serializer("drawn_up_at", "not_before", "expires_at")
    def _utc(self, moment: datetime) -> str:
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def file_name(self) -> str:
        """Return the name of its file: ``0001-a-to-b.json``."""
        return f"{self.number:04}-{self.from_stage.lower()}-to-{self.to_stage.lower()}.json"

    def record(self) -> dict[str, Any]:
        """Return the JSON record that is signed."""
        return self.model_dump(mode="json", by_alias=True)


def draw_up(gate: Gate, basis: Basis, *, number: int, previous: str, now: datetime, not_before: datetime) -> Approval:
    """Return the record of a promotion through `gate`, unsigned, which expires after the longest time allowed."""
    moment = now.astimezone(UTC).replace(microsecond=0)
    return Approval(
        number=number,
        previous=previous,
        from_stage=gate.from_stage,
        to_stage=gate.to_stage,
        lines={line.key: line.verdict for line in gate.lines},
        basis=basis,
        drawn_up_at=moment,
        not_before=max(moment, not_before),
        expires_at=moment + timedelta(days=APPROVAL_DAYS),
    )
