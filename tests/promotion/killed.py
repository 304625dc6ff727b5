"""`python -m tests.promotion.killed STEP ARGUMENT…`: the dreamseed command, killed with all its children in a step.

A power cut, in short: at the moment that the journal says the step is begun; while the engine changes resources where
the step is `vllm`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any
from unittest.mock import patch

from dreamseed.cli import main
from dreamseed.journal import Event, Journal
from localtier.experiments.kills import NOT_REPEATABLE
from rehearsal.runner.engine import Engine, Interruption, Run

CHANGES = 6
"""So many resources has the engine begun to change when it is killed; a cloud object is not being created just then."""


def kill() -> None:
    os.killpg(0, signal.SIGKILL)


def killing(step: str) -> None:
    """Let this process kill its group in the step."""
    note, up = Journal.note, Engine.up

    def noting(journal: Journal, event: Event, name: str = "", **detail: Any) -> None:
        note(journal, event, name, **detail)
        if (name, event) == (step, Event.BEGUN):
            kill()

    def interrupted(engine: Engine, *arguments: Any, **options: Any) -> Run:
        interruption = Interruption(after_changes=CHANGES, strike=kill, spared=NOT_REPEATABLE)
        return up(engine, *arguments, **options, interruption=interruption)

    if step == "vllm":
        patch.object(Engine, "up", interrupted).start()
    else:
        patch.object(Journal, "note", noting).start()


if __name__ == "__main__":
    os.setsid()
    killing(sys.argv.pop(1))
    main()
