"""A journal of steps, written before each acts and after it is proved: a run that was cut off goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from dreamseed.errors import DreamSeedError
from dreamseed.failover.steps import Direction, Step
from dreamseed.signing import write_whole


class FailoverError(DreamSeedError):
    """A fail-over cannot go on; nothing was undone."""


class Action(Protocol):
    """What a step does. Both may be called again after a run that was cut off."""

    def holds(self) -> bool:
        """Tell whether what the step brings about is so."""

    def do(self) -> None:
        """Bring it about."""


@dataclass(frozen=True)
class Journal:
    """The file of one fail-over of one stage."""

    path: Path
    stage: str
    direction: Direction

    def entries(self) -> list[dict[str, Any]]:
        """Return what was written so far. Raises `FailoverError` for a journal of something else."""
        if not self.path.exists():
            return []
        content = json.loads(self.path.read_text(encoding="utf-8"))
        if (content["stage"], content["direction"]) != (self.stage, self.direction.value):
            raise FailoverError(
                str(self.path),
                f"is the journal of {content['stage']}, {content['direction']}",
                "a journal that is continued by another fail-over would skip its steps",
                f"another --journal, or finish that one: dreamseed failover {content['direction']} {content['stage']}",
            )
        entries: list[dict[str, Any]] = content["entries"]
        return entries

    def finished(self, key: str) -> bool:
        """Tell whether a step was proved before."""
        return any(entry["step"] == key and entry["state"] == "finished" for entry in self.entries())

    def note(self, key: str, state: str) -> None:
        """Add an entry, on the disk before this returns."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entries = [*self.entries(), {"step": key, "state": state, "at": at}]
        content = {"stage": self.stage, "direction": self.direction.value, "entries": entries}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, json.dumps(content, indent=1).encode())


def perform(
    steps: Sequence[Step], actions: Mapping[str, Action], journal: Journal, tell: Callable[[str], None]
) -> None:
    """Do what is left of `steps`, each proved before the next begins.

    A step that is finished but no longer holds is done again. Raises `FailoverError` when one does not hold after it
    was done: nothing after it is touched.
    """
    for step in steps:
        action = actions[step.key]
        if journal.finished(step.key) and action.holds():
            tell(f"{step.key}: done before")
            continue
        journal.note(step.key, "begun")
        tell(f"{step.key}: {step.what}")
        if not action.holds():
            action.do()
        if not action.holds():
            raise FailoverError(
                f"{journal.stage} › {step.key}",
                "was done and does not hold",
                step.why,
                "see what it says above, then run the same command again: it goes on from this step",
            )
        journal.note(step.key, "finished")
