"""Running steps one after the other so that a kill at any point loses nothing and repeats nothing that counts.

Each step is checked, done, verified; before it is done the journal says so. A step that a kill interrupted is checked
again: what is already so is not done twice. Any failure stops the run. A maintenance silence is opened before the first
step and closed whenever the run ends; a kill leaves it to its own end, and the next run opens one anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dreamseed.errors import DreamSeedError
from dreamseed.journal import Event, Journal


class StepError(DreamSeedError):
    """A step could not be done or verified."""


class Waiting(DreamSeedError):  # noqa: N818 - not a fault: somebody has to do something first
    """A step waits for a person."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a playbook.

    `check` returns what shows that the step is already done, or None. `do` may be called again after a kill. `verify`
    returns the evidence or raises `StepError`. `undo` returns what was undone, or None where there is nothing to undo.
    """

    name: str
    title: str
    check: Callable[[], str | None]
    do: Callable[[], None]
    verify: Callable[[], str]
    undo: Callable[[], str | None]


class Silence(Protocol):
    """A maintenance silence over the stage's alerts; one that is never closed ends by itself."""

    def open(self) -> str:
        """Open it, and return what is silenced and until when."""

    def close(self) -> None:
        """Close it; closing one that has ended is no error."""


Tell = Callable[[Step, Event, str], None]


def run(steps: Sequence[Step], journal: Journal, silence: Silence, tell: Tell) -> None:
    """Bring every step to verified, from wherever the journal stands. Raises what a step raises, after noting it."""
    if journal.is_over:
        return
    journal.note(Event.SILENCED, told=silence.open())
    try:
        for step in steps:
            if journal.state(step.name) is not Event.VERIFIED:
                _bring(step, journal, tell)
    except DreamSeedError:
        _unsilence(journal, silence)
        raise
    _unsilence(journal, silence)
    journal.note(Event.FINISHED)


def roll_back(steps: Sequence[Step], journal: Journal, silence: Silence, tell: Tell) -> None:
    """Undo every step that was acted upon, the last one first. A kill in between is gone on from."""
    if journal.is_over:
        return
    journal.note(Event.SILENCED, told=silence.open())
    try:
        for step in reversed(steps):
            if journal.began(step.name) and journal.state(step.name) is not Event.UNDONE:
                told = step.undo() or "nothing to undo"
                journal.note(Event.UNDONE, step.name, told=told)
                tell(step, Event.UNDONE, told)
    except DreamSeedError:
        _unsilence(journal, silence)
        raise
    _unsilence(journal, silence)
    journal.note(Event.ROLLED_BACK)


def _bring(step: Step, journal: Journal, tell: Tell) -> None:
    if journal.state(step.name) is not Event.DONE:
        found = step.check()
        journal.note(Event.BEGUN, step.name, found=found)
        tell(step, Event.BEGUN, found or "")
        if found is None:
            _noting(step, journal, tell, step.do)
        journal.note(Event.DONE, step.name)
    evidence = _noting(step, journal, tell, step.verify)
    journal.note(Event.VERIFIED, step.name, told=evidence)
    tell(step, Event.VERIFIED, str(evidence))


def _noting(step: Step, journal: Journal, tell: Tell, act: Callable[[], str | None]) -> str | None:
    """Return what `act` does; when it fails or waits, note that first."""
    try:
        return act()
    except DreamSeedError as error:
        event = Event.WAITING if isinstance(error, Waiting) else Event.FAILED
        journal.note(event, step.name, told=error.what)
        tell(step, event, error.what)
        raise


def _unsilence(journal: Journal, silence: Silence) -> None:
    silence.close()
    journal.note(Event.UNSILENCED)
