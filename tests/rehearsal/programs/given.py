"""Small programs, and what comes of them by Pulumi's language host and by a forked process."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rehearsal.programs import pool
from rehearsal.programs.choice import FORKED, HOST, PULUMI
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.toolchain import ensure_engine

STACK = "one"
SECRET = "hunter2-of-the-forks"
CONFIG = {"small:size": 3, "small:list": '["ä", "<&>"]'}
# What a run draws: ids of the run, where the engine listens, when it happened, and how long it took.
_DRAWN = re.compile(r"127\.0\.0\.1:\d+|0x[0-9a-f]+|Duration: .*|\d+[smµ]+s?\b")
_OF_THE_SDK = re.compile(
    r"(registering resource|resource registration (prepared|successful)|register resource outputs .*): "
)


@dataclass(frozen=True)
class Small:
    """A project with one program, in `folder`; `text` is the program's."""

    folder: Path
    preloaded: tuple[str, ...] = ()

    def write(self, text: str, **modules: str) -> None:
        """Write the program and modules beside it."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text("name: small\nruntime: python\n", encoding="utf-8")
        (self.folder / f"Pulumi.{STACK}.yaml").write_text(json.dumps({"config": CONFIG}), encoding="utf-8")
        for name, content in {"__main__": text, **modules}.items():
            (self.folder / f"{name}.py").write_text(content, encoding="utf-8")

    def engine(self, host: str = FORKED) -> Engine:
        """Return an engine with an empty stack, whose programs are run by `host`."""
        root = self.folder.with_name(f"{self.folder.name}-{host}")
        project = Project(directory=self.folder, stacks=(STACK,), passphrase="small", preloaded=self.preloaded)
        workspace = Workspace(project, root)
        workspace.prepare()
        toolchain = ensure_engine()
        environment = {**workspace.environment(toolchain, {}), HOST: host}
        engine = Engine(toolchain, workspace, environment, records=root / "records")
        settings, kept = workspace.config_file(STACK), root / "with-secret.yaml"
        if not workspace.created:
            made = engine.create_stack(STACK, like=STACK)
            assert made.succeeded, made.errors
            shutil.copyfile(root / "new" / STACK / f"Pulumi.{STACK}.yaml", settings)
            secret = ["config", "set", "small:token", SECRET, "--secret", "--stack", STACK]
            run = engine._run([*secret, "--config-file", str(settings)], self.folder, None)
            assert run.succeeded, run.errors
            shutil.copyfile(settings, kept)
        shutil.copyfile(kept, settings)
        return engine

    def run(self, host: str = FORKED, command: str = "preview") -> tuple[Run, list[Any]]:
        """Run the program once; return what came of it, and its events."""
        engine = self.engine(host)
        run = getattr(engine, command)(STACK, STACK, lambda _: None)
        last = sorted((engine.workspace.root / "records").iterdir())[-1]
        return run, [json.loads(line) for line in last.read_text(encoding="utf-8").splitlines()]


@contextmanager
def forking_processes_with(mutation: str) -> Iterator[None]:
    """Have the forking processes changed before they begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "START", pool.START.replace("forking.main", f"{mutation}; forking.main"))
        patch.setattr(pool, "_POOL", pool._Pool())
        try:
            yield
        finally:
            pool._POOL.stop()


def outputs(small: Small, command: str = "preview") -> Mapping[str, Any]:
    """Return what the program exports when a forked process runs it."""
    run, _ = small.run(FORKED, command)
    assert run.succeeded, run.errors
    return run.events.stack_outputs


def is_of_the_sdk(event: Mapping[str, Any]) -> bool:
    """Whether the SDK alone says so of a resource, for debugging."""
    return _OF_THE_SDK.match(event.get("diagnosticEvent", {}).get("message", "")) is not None


def told(events: list[Any]) -> list[str]:
    """Return events without what each run draws, and in an order that is the same for each.

    An attached runtime has no way to say that a line came over the standard error, so that is left out. So is what the
    SDK alone says of each resource, for debugging.
    """
    lines = []
    for event in events:
        if is_of_the_sdk(event):
            continue
        kept = {key: value for key, value in event.items() if key not in ("sequence", "timestamp")}
        if "diagnosticEvent" in kept:
            said = {k: v for k, v in kept["diagnosticEvent"].items() if k not in ("streamID", "prefix")}
            said["severity"] = said["severity"].replace("info#err", "info")
            kept["diagnosticEvent"] = said
        kept.get("summaryEvent", {}).pop("durationSeconds", None)
        lines.append(_DRAWN.sub("…", json.dumps(kept, sort_keys=True)))
    return sorted(lines)


def by_both(small: Small, command: str = "preview") -> tuple[tuple[Run, list[Any]], tuple[Run, list[Any]]]:
    """Run a program by Pulumi's language host, and by a forked process."""
    return small.run(PULUMI, command), small.run(FORKED, command)
