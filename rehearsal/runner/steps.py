"""A line of work: engine runs that are watched, counted, and noted when they fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.runner.engine import Reached, Run
from rehearsal.runner.outcome import Failure


@dataclass(frozen=True)
class Progress:
    """Where a line of work stands: `done` of `total` steps, and the resources that `step` has reached."""

    step: str
    done: int
    total: int
    resources: int


Watch = Callable[[Progress], None]


@dataclass
class Steps:
    """A known number of engine runs, in one thread or several; failures are gathered."""

    total: int
    watch: Watch
    failures: list[Failure] = field(default_factory=list)
    done: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def run(self, stage: str, step: str, work: Callable[[Reached], Run]) -> Run:
        """Run one step; a failure of the engine is noted with the stage and the step."""
        run = work(lambda resources: self.watch(Progress(f"{step} {stage}", self.done, self.total, resources)))
        with self._counting:
            self.done += 1
            self.watch(Progress(f"{step} {stage}", self.done, self.total, run.events.registered))
        if not run.succeeded:
            remedy = f"correct it, then preview {stage} alone with its full diff"
            self.fail(stage, step, "\n".join(run.errors), remedy)
        return run

    def fail(self, stage: str, step: str, message: str, remedy: str) -> None:
        """Note a failure."""
        self.failures.append(Failure(stage, step, message, remedy))
