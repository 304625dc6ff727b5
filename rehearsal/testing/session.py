"""What the outcomes of one stack share: its state, its providers, its settings as they are now, and the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.host import ProviderHost
from rehearsal.providers.judge.choice import Judging
from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.tables.own import check_own
from rehearsal.testing.program import Given, Program
from rehearsal.toolchain import Toolchain

STACK = "rehearsal"
"""The stack's name where the caller names none."""
_NO_PLUGIN = re.compile(r"resource plugin '?(?:pulumi-resource-)?([a-z][\w-]*)")

# One run of the engine: on the stack so called, with the settings so called.
Operation = Callable[[Engine, str, str, Reached], Run]


@dataclass(frozen=True)
class Settings:
    """What a run is given: the program, the stack whose file it reads, if any, and the configuration over that."""

    program: Program
    stack: str | None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Session:
    """One state; `root` is a folder of its own that the caller removes."""

    root: Path
    toolchain: Toolchain
    passphrase: str
    host: ProviderHost
    cloud: FakeCloud
    name: str
    settings: Settings
    tables: Sequence[Path] = ()
    preloaded: tuple[str, ...] = ()
    _salt: str = ""
    _runs: int = 0

    @property
    def records(self) -> Path:
        """Where the engine's event logs are kept, one file an operation."""
        return self.root / "events"

    def changed(self, program: Given | None, stack: str | None, config: Mapping[str, Any] | None) -> Settings:
        """Return the settings with what is given exchanged; `config` is added to what there is."""
        new = self.settings
        if program is not None:
            new = replace(new, program=Program.of(program, self.root / f"program-{self._runs}"))
        return replace(new, stack=stack or new.stack, config={**new.config, **(config or {})})

    def run(self, operation: Operation, settings: Settings) -> Run:
        """Run the engine once; the stack is created before its first run."""
        project = Project(
            directory=settings.program.directory, stacks=(), passphrase=self.passphrase, preloaded=self.preloaded
        )
        workspace = Workspace(project, self.root)
        workspace.prepare()
        environment = workspace.environment(self.toolchain, self.host.environment())
        engine = Engine(self.toolchain, workspace, environment, records=self.records)
        self._runs += 1
        stage = f"run-{self._runs}"
        self._write(workspace, stage, settings)
        if not workspace.created:
            created = engine.create_stack(self.name, like=stage)
            if not created.succeeded:
                return created
            self._salt = workspace.salt_of_new(self.name)
            self._write(workspace, stage, settings)
        run = operation(engine, self.name, stage, lambda _: None)
        return run if run.succeeded else replace(run, errors=tuple(map(self._explained, run.errors)))

    def _write(self, workspace: Workspace, stage: str, settings: Settings) -> None:
        content = settings.program.settings(settings.stack, settings.config, self._salt)
        workspace.config_file(stage).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")

    def _explained(self, error: str) -> str:
        """Add what to do where a package has no provider."""
        missing = _NO_PLUGIN.search(error)
        if missing is None:
            return error
        place = self.tables[0] if self.tables else self.settings.program.directory / "tables"
        return f"{error}\nno table describes the package {missing[1]}: write {place / missing[1]}.json, see own.py"


@contextmanager
def session(
    given: Given,
    *,
    toolchain: Toolchain,
    root: Path,
    stack: str | None,
    config: Mapping[str, Any] | None,
    tables: Path | str | None,
    passphrase: str,
    judging: Judging | None = None,
    preloaded: Sequence[str] = (),
) -> Iterator[Session]:
    """Give a session in the empty folder `root`, with a provider process of its own until the block ends.

    Raises `ProgramError` and `TablesError` before anything is started.
    """
    program = Program.of(given, root / "program")
    folder = Path(tables) if tables is not None else program.tables
    if folder is not None:
        check_own(folder)
    settings = Settings(program, stack, dict(config or {}))
    program.settings(stack, settings.config, "")
    own = () if folder is None else (folder,)
    judging = replace(judging or Judging(), directory=program.directory)
    with ProviderHost(root / "cloud", tables=own, judging=judging) as host:
        cloud = FakeCloud(host.state_dir)
        try:
            name = stack or STACK
            yield Session(root, toolchain, passphrase, host, cloud, name, settings, own, tuple(preloaded))
        finally:
            cloud.close()
