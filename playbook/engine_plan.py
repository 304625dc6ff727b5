"""What an engine would change, as a record that can be approved: the same preview gives the same digest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError
from dreamseed.signing import canonical, digest
from rehearsal.runner.events import Change


@dataclass(frozen=True)
class EnginePlan:
    """The changes from one stage to the next, one a resource, ordered by URN.

    A change is {urn, action, properties, inputs}: `properties` are the inputs that differ, `inputs` the digest of all
    inputs as previewed, in which secrets are hidden and what is not known yet is marked so.
    """

    from_stage: str
    to_stage: str
    changes: tuple[dict[str, Any], ...]

    @staticmethod
    def of(from_stage: str, to_stage: str, changes: Iterable[Change]) -> EnginePlan:
        """Return the plan that a preview's changes are."""
        found = (
            {
                "urn": change.resource.urn,
                "action": change.action.value,
                "properties": list(change.properties),
                "inputs": digest(change.resource.inputs),
            }
            for change in changes
        )
        return EnginePlan(from_stage, to_stage, tuple(sorted(found, key=lambda change: str(change["urn"]))))

    def record(self) -> dict[str, Any]:
        """Return the JSON record."""
        return {"kind": "plan", "from": self.from_stage, "to": self.to_stage, "changes": list(self.changes)}

    @property
    def digest(self) -> str:
        """Return the digest of the record: what is approved."""
        return digest(self.record())

    @property
    def actions(self) -> frozenset[tuple[str, str]]:
        """Return which action each resource sees."""
        return frozenset((str(change["urn"]), str(change["action"])) for change in self.changes)

    def summary(self) -> str:
        """Return how many resources see which action."""
        kinds = sorted({str(change["action"]) for change in self.changes})
        counts = (f"{sum(change['action'] == kind for change in self.changes)} {kind}" for kind in kinds)
        return ", ".join(counts) or "no change"

    def write(self, path: Path) -> None:
        """Write the record to `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(canonical(self.record()) + b"\n")

    @staticmethod
    def read(path: Path) -> EnginePlan:
        """Return the plan in the file `path`; raises `DreamSeedError` when it holds none."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            return EnginePlan(record["from"], record["to"], tuple(record["changes"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DreamSeedError(
                str(path),
                f"is no engine's plan ({error})",
                "an approval is bound to what the engine previewed",
                "the file that dreamseed promote --to STAGE --plan FILE wrote",
            ) from error
