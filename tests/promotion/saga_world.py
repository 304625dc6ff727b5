"""A world in a folder, as small as can be: what a promotion changes are files, so that it outlives a killed process."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dreamseed.config import Stage
from dreamseed.journal import Event, opened
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.playbook import playbook
from dreamseed.promotion.saga import Step, StepError, roll_back, run
from tests.gates.situations import stages

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
STEPS = ("back-up", "gpu-install", "gpu-seen", "vllm", "api-bounds", "thresholds", "load-test")


def plan_of(stage: Stage) -> StagePlan:
    return plan_stage(stages()[stage], f"stage-{stage.lower()}")


class FilesSilence:
    def __init__(self, world: FilesWorld) -> None:
        self._world = world

    def open(self) -> str:
        self._world.act("silence", silence=True)
        return "until noon"

    def close(self) -> None:
        self._world.act("unsilence", silence=False)


@dataclass
class FilesWorld:
    """`kill_at` numbers the point at which the process is killed; `failing` names what fails."""

    folder: Path
    kill_at: int | None = None
    failing: str = ""
    points: int = 0
    acted: list[str] = field(default_factory=list)

    def point(self) -> None:
        """A moment at which a kill may come."""
        self.points += 1
        if self.points == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def state(self) -> dict[str, object]:
        path = self.folder / "state.json"
        return dict(json.loads(path.read_text())) if path.exists() else {"stage": "A", "gpus": 2, "writes": 0}

    def act(self, name: str, **changes: object) -> None:
        self.point()
        if self.failing == name:
            raise StepError(f"promote › {name}", "is broken", "as asked for", "mend it")
        self.acted.append(name)
        part = self.folder / "state.part"
        part.write_text(json.dumps({**self.state, **changes}))
        part.replace(self.folder / "state.json")
        self.point()

    def look(self, name: str, told: str, key: str, wanted: object) -> str:
        self.point()
        if self.failing == name or self.state.get(key) != wanted:
            raise StepError(f"promote › {name}", f"{key} is {self.state.get(key)}", "as asked for", "mend it")
        self.acted.append(name)
        return told

    @property
    def silence(self) -> FilesSilence:
        return FilesSilence(self)

    def back_up(self) -> None:
        self.act("back_up", backup="A")

    def verify_backup(self) -> str:
        return self.look("verify_backup", "restored", "backup", "A")

    def gpus_seen(self) -> Mapping[str, int]:
        self.point()
        gpus = self.state["gpus"]
        assert isinstance(gpus, int)
        return {"server-1": gpus}

    def is_applied(self) -> str | None:
        self.point()
        return "stands" if self.state["stage"] == "B" else None

    def apply(self) -> None:
        # Two writes, so that a kill may come in between, and a third that says it is whole.
        self.act("apply", engine="tp2")
        self.act("apply", bounds="1-8")
        self.act("apply", stage="B")

    def verify_engines(self) -> str:
        return self.look("verify_engines", "tp2", "engine", "tp2")

    def verify_api_bounds(self) -> str:
        return self.look("verify_api_bounds", "1-8", "bounds", "1-8")

    def reload_thresholds(self) -> None:
        self.act("reload_thresholds", rules="B")

    def verify_thresholds(self) -> str:
        return self.look("verify_thresholds", "rules of B", "rules", "B")

    def play_load(self) -> None:
        self.act("play_load", load="met")

    def verify_load(self) -> str:
        return self.look("verify_load", "met", "load", "met")

    def roll_back(self) -> str:
        self.act("roll_back", stage="A", engine="tp1", bounds="0-3", rules="A")
        return "A is up again; kept: redis-1-data"

    def steps(self, *, gpu_installed: bool = True) -> tuple[Step, ...]:
        return playbook(self, plan_of(Stage.A), plan_of(Stage.B), gpu_installed=gpu_installed)


def promote(world: FilesWorld, *, gpu_installed: bool = True, back: bool = False) -> list[tuple[str, Event]]:
    """Run, or undo, the promotion in the world's folder from wherever it stands."""
    told: list[tuple[str, Event]] = []
    act: Callable[..., None] = roll_back if back else run
    with opened(world.folder / "journal.jsonl", lambda: NOW) as journal:
        note = journal.note

        def noting(event: Event, step: str = "", **detail: object) -> None:
            world.point()
            note(event, step, **detail)
            world.point()

        journal.note = noting  # type: ignore[method-assign]
        steps = world.steps(gpu_installed=gpu_installed)
        act(steps, journal, world.silence, lambda step, event, _: told.append((step.name, event)))
    return told
