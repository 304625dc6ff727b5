"""Run the engine's command line and read what it did from its event log."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from rehearsal.programs.pool import attached
from rehearsal.runner.events import EventLog
from rehearsal.runner.workspace import BACKEND, PROJECT_FILE, Workspace
from rehearsal.toolchain import Toolchain

POLL_SECONDS = 0.05
TIME_LIMIT_SECONDS = 900.0

_SAYS_NOTHING = re.compile(r"(\S+: )?(preview|update|refresh) failed")

HELD_TO_POLICIES = ("preview", "up")
RECORDED_SECONDS = 1.0
"""So long after its event, at most, a creation may not yet stand in the engine's state."""

# Told now and then how many resources the running engine has reached.
Reached = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """What happens to an engine that has begun to change `after_changes` resources: `strike`, by default SIGKILL.

    The engine goes on while `strike` runs. `at_once` is how many resources it changes at the same time, by default as
    many as it likes. It comes later while resources are created whose types begin with one of `spared`, and until that
    is recorded for sure, `recorded_seconds` later: on a busy machine a large state is written late.
    """

    after_changes: int
    strike: Callable[[], None] | None = None
    at_once: int | None = None
    spared: tuple[str, ...] = ()
    recorded_seconds: float = RECORDED_SECONDS


@dataclass(frozen=True)
class Run:
    """One run of the engine: whether it succeeded, its events, its seconds, and why it failed.

    `interrupted` tells whether the `Interruption` came about: an engine may end before.
    """

    succeeded: bool
    events: EventLog
    seconds: float
    errors: tuple[str, ...]
    output: str
    interrupted: bool = False


@dataclass(frozen=True)
class Engine:
    """The engine on a workspace's stacks, with the environment of attached providers."""

    toolchain: Toolchain
    workspace: Workspace
    environment: Mapping[str, str]
    policy_pack: Path | None = None
    """Rules that every preview and up must keep to, as a Pulumi policy pack."""
    pid_file: Path | None = None
    """Where the running engine's process id is written, for who is to kill it at an exact moment."""
    records: Path | None = None
    """A folder in which the event log of every operation is kept: `01-up.jsonl`, `02-preview.jsonl`, …"""

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

    def up(
        self,
        name: str,
        stage: str,
        reached: Reached,
        *,
        interruption: Interruption | None = None,
        continue_on_error: bool = False,
    ) -> Run:
        """Bring the stack `name` to the settings of `stage`; where asked, what does not depend on an error goes on.

        What a killed engine left of its lock is removed first; one that still runs makes this one fail.
        """
        self.workspace.unlock(name)
        command = ["up", "--yes", "--skip-preview", "--suppress-outputs"]
        if interruption is not None and interruption.at_once is not None:
            command += ["--parallel", str(interruption.at_once)]
        return self._operation([*command, *_going_on(continue_on_error)], name, stage, reached, interruption)

    def refresh(self, name: str, stage: str, reached: Reached, targets: Sequence[str] = ()) -> Run:
        """Bring the state of the stack `name` to what is really there; of `targets` alone, where URNs are given."""
        command = ["refresh", "--yes", "--skip-preview", "--suppress-outputs"]
        command += [word for urn in targets for word in ("--target", urn)]
        return self._operation(command, name, stage, reached)

    def read_state(self, name: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the state of the stack as the engine exports it; secrets encrypted unless asked for.

        Where the state is a file of the workspace it is read from there, unless secrets are asked for. Raises
        RuntimeError in the engine's words.
        """
        is_here = self.environment.get(BACKEND) == self.workspace.settings()[BACKEND]
        if is_here and not show_secrets and (recorded := self.workspace.recorded(name)) is not None:
            return recorded
        with tempfile.TemporaryDirectory(dir=self.workspace.root, prefix="state.") as scratch:
            file = Path(scratch, "state.json")
            options = ["--show-secrets"] if show_secrets else []
            _checked(
                self._run(["stack", "export", "--stack", name, "--file", str(file), *options], self._directory, None)
            )
            state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return state

    def write_state(self, name: str, state: Mapping[str, Any]) -> None:
        """Give the stack another state; raises RuntimeError in the engine's words when it is none."""
        with tempfile.TemporaryDirectory(dir=self.workspace.root, prefix="state.") as scratch:
            file = Path(scratch, "state.json")
            file.write_text(json.dumps(state), encoding="utf-8")
            _checked(self._run(["stack", "import", "--stack", name, "--file", str(file)], self._directory, None))

    def unprotect(self, name: str) -> Run:
        """Take the engine's protection off every resource of the stack."""
        return self._run(["state", "unprotect", "--all", "--yes", "--stack", name], self._directory, None)

    def destroy(self, name: str, stage: str, reached: Reached, *, continue_on_error: bool = False) -> Run:
        """Delete every resource of the stack `name`, which stands at `stage`, as it really is (refreshed).

        Where asked, what does not depend on an error goes on.
        """
        command = ["destroy", "--yes", "--skip-preview", "--refresh"]
        return self._operation([*command, *_going_on(continue_on_error)], name, stage, reached)

    @property
    def _directory(self) -> Path:
        return self.workspace.project.directory

    def _operation(
        self, command: list[str], name: str, stage: str, reached: Reached, interruption: Interruption | None = None
    ) -> Run:
        config_file = str(self.workspace.config_file(stage))
        options = ["--stack", name, "--config-file", config_file]
        if self.policy_pack is not None and command[0] in HELD_TO_POLICIES:
            options += ["--policy-pack", str(self.policy_pack)]
        return self._run([*command, *options], self._directory, reached, interruption)

    def _program(self, command: str) -> AbstractContextManager[dict[str, str]]:
        """Have the program run by a process forked for it (`rehearsal/programs`), where that is the same."""
        project = self.workspace.project
        return attached(
            self.environment,
            project.directory / PROJECT_FILE,
            self.toolchain.bin_dir,
            project.preloaded,
            looks_again=command == "preview",
        )

    def _run(
        self, command: list[str], directory: Path, reached: Reached | None, interruption: Interruption | None = None
    ) -> Run:
        with tempfile.TemporaryDirectory(dir=self.workspace.root, prefix="run.") as scratch:
            log, output = Path(scratch, "events"), Path(scratch, "output")
            log.touch()
            began = time.monotonic()
            options = ["--non-interactive", "--color", "never", *(["--event-log", str(log)] if reached else [])]
            with (
                self._program(command[0]) if reached else nullcontext({}) as runtime,
                output.open("wb") as written,
                log.open(encoding="utf-8") as events,
                subprocess.Popen(
                    [str(self.toolchain.pulumi), *command, *options],
                    cwd=directory,
                    env={**self.environment, **runtime},
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                ) as process,
            ):
                if self.pid_file is not None:
                    self.pid_file.write_text(str(process.pid), encoding="utf-8")
                deadline = began + TIME_LIMIT_SECONDS
                followed, interrupted = _follow(process, events, reached or (lambda _: None), deadline, interruption)
            text = output.read_text(encoding="utf-8", errors="replace")
            if self.records is not None and reached:
                self.records.mkdir(parents=True, exist_ok=True)
                number = len(list(self.records.iterdir())) + 1
                shutil.copyfile(log, self.records / f"{number:02}-{command[0]}.jsonl")
        seconds = time.monotonic() - began
        errors = () if process.returncode == 0 else _told(followed.errors) or (_last_words(text),)
        return Run(process.returncode == 0, followed, seconds, errors, text, interrupted)


def _going_on(continue_on_error: bool) -> list[str]:
    return ["--continue-on-error"] if continue_on_error else []


def _checked(run: Run) -> None:
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))


def _follow(
    process: subprocess.Popen[bytes],
    events: IO[str],
    reached: Reached,
    deadline: float,
    interruption: Interruption | None,
) -> tuple[EventLog, bool]:
    """Read the event log until the engine ends; return it, and whether the interruption came about."""
    log = EventLog()
    rest = ""
    running, interrupted = True, False
    spared_until = 0.0
    while running:
        running = process.poll() is None
        *lines, rest = (rest + events.read()).split("\n")
        log.feed(lines)
        reached(log.registered)
        if interruption is not None and log.creates(interruption.spared):
            spared_until = time.monotonic() + interruption.recorded_seconds
        due = interruption is not None and not interrupted and log.changing >= interruption.after_changes
        due = due and time.monotonic() >= spared_until
        if running and due and interruption is not None:
            interrupted = True
            if interruption.strike is not None:
                interruption.strike()
            else:
                process.kill()
                log.errors.append(f"the engine was killed after it had begun to change {log.changing} resources")
        elif running and time.monotonic() > deadline:
            process.kill()
            log.errors.append(f"the engine was still running after {TIME_LIMIT_SECONDS:.0f} s and was stopped")
            deadline = math.inf
        elif running:
            time.sleep(POLL_SECONDS)
    return log, interrupted


def _told(errors: list[str]) -> tuple[str, ...]:
    """Return the errors without those that only say that there were some."""
    telling = tuple(error for error in errors if not _SAYS_NOTHING.fullmatch(error))
    return telling or tuple(errors)


def _last_words(output: str) -> str:
    """Return what the engine said about its failure when it came before any event."""
    errors = re.findall(r"^error: (.*(?:\n(?!error: ).*)*)", output, flags=re.MULTILINE)
    return "\n".join(error.strip() for error in errors) or "\n".join(output.strip().splitlines()[-15:])
