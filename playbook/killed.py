"""`python -m playbook.killed STEP SECONDS ARGUMENT…`: the dreamseed command, killed with all its children in a step.

A power cut, in short: so many seconds after the journal says that the step is begun; while the engine changes resources
where the step is `vllm`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from dreamseed.cli import main
from dreamseed.journal import Event, Journal
from localtier.experiments.kills import NOT_REPEATABLE
from rehearsal.runner.engine import RECORDED_SECONDS, Engine, Interruption, Run

LOCAL, LOCAL_RECORDED_SECONDS = "--local", 8.0
"""On real servers: E's state was once written over a second late, and a bucket that was made stood in no state."""
CHANGES = 6
"""So many resources has the engine begun to change when it is killed; a cloud object is not being created just then."""


def kill() -> None:
    """Kill this process and all its children at once."""
    os.killpg(0, signal.SIGKILL)


def killing(step: str, seconds: float) -> None:
    """Let this process kill its group in the step."""
    note, up = Journal.note, Engine.up

    def noting(journal: Journal, event: Event, name: str = "", **detail: Any) -> None:
        note(journal, event, name, **detail)
        if (name, event) != (step, Event.BEGUN):
            return
        if seconds:
            threading.Timer(seconds, kill).start()
        else:
            kill()

    def interrupted(engine: Engine, *arguments: Any, **options: Any) -> Run:
        seconds = LOCAL_RECORDED_SECONDS if LOCAL in sys.argv else RECORDED_SECONDS
        interruption = Interruption(after_changes=CHANGES, strike=kill, spared=NOT_REPEATABLE, recorded_seconds=seconds)
        return up(engine, *arguments, **options, interruption=interruption)

    if step == "vllm":
        Engine.up = interrupted  # type: ignore[method-assign,assignment]
    else:
        Journal.note = noting  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    os.setsid()
    killing(sys.argv.pop(1), float(sys.argv.pop(1)))
    main()
