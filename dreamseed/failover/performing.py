"""Performing steps: each is in the journal before it acts and once it is proved, so a run that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dreamseed.errors import DreamSeedError
from dreamseed.failover.steps import Direction, Step
from dreamseed.journal import Event, Journal


class FailoverError(DreamSeedError):
    """A fail-over cannot go on; nothing was undone."""


class Action(Protocol):
    """What a step does. Both may be called again after a run that was cut off."""

    def holds(self) -> bool:
        """Tell whether what the step brings about is so."""

    def do(self) -> None:
        """Bring it about."""


def journal_file(folder: Path, stage: str, direction: Direction) -> Path:
    """Return where the journal of one way of a stage lies in `folder`."""
    return folder / f"failover-{stage}-{direction}.jsonl"


def perform(
    steps: Sequence[Step],
    actions: Mapping[str, Action],
    journal: Journal,
    stage: str,
    direction: Direction,
    tell: Callable[[str], None],
) -> None:
    """Do what is left of `steps` on `stage`, each proved before the next begins.

    A step that is finished but no longer holds is done again. Raises `FailoverError` when one does not hold after it
    was done: nothing after it is touched; `JournalError` when `journal` is of another stage or direction.
    """
    journal.belongs_to(stage=stage, direction=direction.value)
    for step in steps:
        action = actions[step.key]
        if journal.state(step.key) is Event.VERIFIED and action.holds():
            tell(f"{step.key}: done before")
            continue
        journal.note(Event.BEGUN, step.key)
        tell(f"{step.key}: {step.what}")
        if not action.holds():
            action.do()
        if not action.holds():
            journal.note(Event.FAILED, step.key)
            raise FailoverError(
                f"{stage} › {step.key}",
                "was done and does not hold",
                step.why,
                "see what it says above, then run the same command again: it goes on from this step",
            )
        journal.note(Event.VERIFIED, step.key)
