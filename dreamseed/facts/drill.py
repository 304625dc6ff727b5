"""The outcome of a restore drill as a signed, dated fact: written by who drills, read by the gates.

One file a drill: a canonical JSON record and, beside it, its signature (`.sig`) by a key of the role `drill`. `digest`
is the digest of all other members, so that other records can name the fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_serializer

from dreamseed.config.types import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.signing import Signer, Trust, digest, read_signed, write_signed

DRILLS_FOLDER = Path("facts", "drills")
DRILL_NAMESPACE = "restore-drill"
DRILL_PRINCIPAL = "drill"
DIGEST_PATTERN = r"sha256:[0-9a-f]{64}"


class DrillFact(BaseModel):
    """What one restore drill found. A figure that a failed drill did not reach is null, and unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["drill"] = "drill"
    stage: Stage
    taken_at: AwareDatetime = Field(description="when the restored database was proved")
    passed: bool
    rpo_seconds: float | None = Field(ge=0, description="age of the oldest acknowledged write that was missing")
    rto_seconds: float | None = Field(ge=0, description="from the loss to a database that answers")
    restore_mb_per_second: float | None = Field(ge=0)
    data_bytes: int | None = Field(ge=0, description="size of the restored database")
    missing_rows: int | None = Field(ge=0, description="acknowledged and archived rows that were not there afterwards")
    source: str = Field(min_length=1, description="what was restored, from where, by which command")
    digest: str = Field(default="", pattern=f"^({DIGEST_PATTERN})?$")

    @field_serializer("taken_at")
    def _utc(self, moment: datetime) -> str:
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def file_name(self) -> str:
        """Return the name of its file, which sorts by time: ``20261126T134501Z-stage-a.json``."""
        return f"{self.taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-stage-{self.stage.lower()}.json"

    def record(self) -> dict[str, Any]:
        """Return the JSON record that is signed, with its digest."""
        others = self.model_dump(mode="json", exclude={"digest"})
        return {**others, "digest": digest(others)}


def write_drill(folder: Path, fact: DrillFact, key: Path) -> Path:
    """Write a drill's fact, signed with `key`, into `folder`, and return its path. Raises `SignatureError`."""
    path = folder / fact.file_name
    write_signed(path, fact.record(), key, DRILL_NAMESPACE)
    return path


def read_drill(path: Path, trust: Trust, at: datetime) -> tuple[DrillFact, Signer]:
    """Return the fact at `path` and who signed it, judged at the moment `at`. Raises `DreamSeedError`."""
    record, (signer,) = read_signed(path, principals=(DRILL_PRINCIPAL,), namespace=DRILL_NAMESPACE, trust=trust, at=at)
    try:
        fact = DrillFact.model_validate(record)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise _refused(path, f"is no drill ({faults})", "the gates read its figures") from error
    if fact.record() != record:
        raise _refused(path, "has another digest than its figures", "other records name the fact by its digest")
    if fact.taken_at > at:
        raise _refused(path, f"is of {fact.taken_at:%Y-%m-%d %H:%M}, which is to come", "a fact is of the past")
    return fact, signer


def drill_files(folder: Path) -> Iterator[Path]:
    """Yield the files of drills in `folder`, oldest first; none where there is no such folder."""
    yield from sorted(folder.glob("*.json"))


def _refused(path: Path, what: str, why: str) -> DreamSeedError:
    return DreamSeedError(str(path), what, why, "the file as the drill wrote it")
