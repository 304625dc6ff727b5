"""Run the engine's command line and read what it did from its event log."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from rehearsal.runner.events import EventLog
from rehearsal.runner.workspace import Workspace
from rehearsal.toolchain import Toolchain

POLL_SECONDS = 0.05
TIME_LIMIT_SECONDS = 900.0

_SAYS_NOTHING = re.compile(r"(\S+: )?(preview|update|refresh) failed")

# Told now and then how many resources the running engine has reached.
Reached = Callable[[int], None]


@dataclass(frozen=True)
class Run:
    """One run of the engine: whether it succeeded, its events, its seconds, and why it failed."""

    succeeded: bool
    events: EventLog
    seconds: float
    errors: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class Engine:
    """The engine on a workspace's stacks, with the environment of attached providers."""

    toolchain: Toolchain
    workspace: Workspace
    environment: Mapping[str, str]

    def with_copied_state(self, name: str) -> Engine:
        """Return the engine on a copy, called `name`, of all states as they are now."""
        workspace = self.workspace.copy(name)
        return replace(self, workspace=workspace, environment={**self.environment, **workspace.settings()})

    def create_stack(self, name: str, like: str) -> Run:
        """Create the empty stack `name` with the settings of the project's stack `like`."""
        folder = self.workspace.folder_for_new(name, like)
        return self._run(["stack", "init", name, "--no-select"], folder, None)

    def preview(self, name: str, stage: str, reached: Reached, diff: bool = False) -> Run:
        """Preview the stack `name` with the settings of `stage`; with `diff` the output is the full diff."""
        options = ["--diff"] if diff else ["--suppress-outputs"]
        return self._operation(["preview", *options], name, stage, reached)

    def up(self, name: str, stage: str, reached: Reached, *, killed_after: int | None = None) -> Run:
        """Bring the stack `name` to the settings of `stage`.

        With `killed_after` the engine is killed (SIGKILL) once it has begun to change that many resources.
        """
        command = ["up", "--yes", "--skip-preview", "--suppress-outputs"]
        return self._operation(command, name, stage, reached, killed_after)

    def refresh(self, name: str, stage: str, reached: Reached) -> Run:
        """Bring the state of the stack `name` to what is really there."""
        return self._operation(["refresh", "--yes", "--skip-preview", "--suppress-outputs"], name, stage, reached)

    def unprotect(self, name: str) -> Run:
        """Take the engine's protection off every resource of the stack."""
        return self._run(["state", "unprotect", "--all", "--yes", "--stack", name], self._directory, None)

    def destroy(self, name: str, stage: str, reached: Reached) -> Run:
        """Delete every resource of the stack `name`, which stands at `stage`, as it really is (refreshed)."""
        return self._operation(["destroy", "--yes", "--skip-preview", "--refresh"], name, stage, reached)

    @property
    def _directory(self) -> Path:
        return self.workspace.project.directory

    def _operation(
        self, command: list[str], name: str, stage: str, reached: Reached, killed_after: int | None = None
    ) -> Run:
        config_file = str(self.workspace.config_file(stage))
        options = ["--stack", name, "--config-file", config_file]
        return self._run([*command, *options], self._directory, reached, killed_after)

    def _run(
        self, command: list[str], directory: Path, reached: Reached | None, killed_after: int | None = None
    ) -> Run:
        with tempfile.TemporaryDirectory(dir=self.workspace.root, prefix="run.") as scratch:
            log, output = Path(scratch, "events"), Path(scratch, "output")
            log.touch()
            began = time.monotonic()
            options = [
                "--non-interactive",
                "--color",
                "never",
                *(["--event-log", str(log)] if reached else []),
            ]
            with (
                output.open("wb") as written,
                log.open(encoding="utf-8") as events,
                subprocess.Popen(
                    [str(self.toolchain.pulumi), *command, *options],
                    cwd=directory,
                    env=dict(self.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                ) as process,
            ):
                deadline = began + TIME_LIMIT_SECONDS
                followed = _follow(process, events, reached or (lambda _: None), deadline, killed_after)
            text = output.read_text(encoding="utf-8", errors="replace")
        seconds = time.monotonic() - began
        errors = () if process.returncode == 0 else _told(followed.errors) or (_last_words(text),)
        return Run(process.returncode == 0, followed, seconds, errors, text)


def _follow(
    process: subprocess.Popen[bytes], events: IO[str], reached: Reached, deadline: float, killed_after: int | None
) -> EventLog:
    """Read the event log until the engine ends; kill the engine at the deadline, or after so many changes."""
    log = EventLog()
    rest = ""
    running = True
    while running:
        running = process.poll() is None
        *lines, rest = (rest + events.read()).split("\n")
        log.feed(lines)
        reached(log.registered)
        if running and killed_after is not None and log.changing >= killed_after:
            process.kill()
            log.errors.append(f"the engine was killed after it had begun to change {log.changing} resources")
            killed_after = None
        elif running and time.monotonic() > deadline:
            process.kill()
            log.errors.append(f"the engine was still running after {TIME_LIMIT_SECONDS:.0f} s and was stopped")
        elif running:
            time.sleep(POLL_SECONDS)
    return log


def _told(errors: list[str]) -> tuple[str, ...]:
    """Return the errors without those that only say that there were some."""
    telling = tuple(error for error in errors if not _SAYS_NOTHING.fullmatch(error))
    return telling or tuple(errors)


def _last_words(output: str) -> str:
    """Return what the engine said about its failure when it came before any event."""
    errors = re.findall(r"^error: (.*(?:\n(?!error: ).*)*)", output, flags=re.MULTILINE)
    return "\n".join(error.strip() for error in errors) or "\n".join(output.strip().splitlines()[-15:])
