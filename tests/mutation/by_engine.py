"""The same mutants, really run: the engine's `up` over what stands, then a second preview."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dreamseed.commands.rehearse import rehearsed_project, traits
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Setting
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.ladder import LOSES_STATE
from rehearsal.toolchain import ensure_engine
from tests.mutation import changed, rehearsed
from tests.mutation.mutant import Mutant

STACK = "mutants"


@dataclass(frozen=True)
class Compared:
    """One mutant, judged in this process and by the engine's run; nothing where none of them told it."""

    mutant: Mutant
    here: str | None
    engine: str | None

    @property
    def agree(self) -> bool:
        """Tell whether both told it, or neither."""
        return (self.here is None) == (self.engine is None)


def compared(mutants: Sequence[Mutant], stage: str, root: Path) -> Iterator[Compared]:
    """Bring `stage` up once and run each mutant over a copy of it; `root` is an empty folder."""
    folder = root / "project"
    folder.mkdir()
    with ProviderHost(root / "cloud") as host:
        engine = Setting(
            project=rehearsed_project().running(Path(changed.__file__), folder),
            toolchain=ensure_engine(),
            workspace=root / "workspace",
            providers=host.environment(),
            classify=traits,
        ).engine("shipped")
        _must(engine.create_stack(STACK, like=stage))
        _must(engine.up(STACK, stage, lambda _: None))
    for number, mutant in enumerate(mutants):
        here = rehearsed.caught(rehearsed.shipped(stage), mutant)
        yield Compared(mutant, here, _told(engine, mutant, stage, root, f"{number}"))


def _told(engine: Engine, mutant: Mutant, stage: str, root: Path, name: str) -> str | None:
    cloud = root / f"cloud-{name}"
    shutil.copytree(root / "cloud", cloud)
    with ProviderHost(cloud) as host:
        copied = engine.with_copied_state(name)
        environment = {**copied.environment, **host.environment(), changed.VARIABLE: changed.told(mutant)}
        other = replace(copied, environment=environment)
        up = other.up(STACK, stage, lambda _: None)
        if not up.succeeded:
            return up.errors[0]
        lost = [c for c in up.events.changes() if c.action in LOSES_STATE and traits(c.resource).stateful]
        if lost:
            return f"{lost[0].action} {lost[0].resource.urn}"
        again = other.preview(STACK, stage, lambda _: None)
        if not again.succeeded:
            return again.errors[0]
        changes = again.events.all_changes()
        return f"a second preview would change {changes[0].resource.urn}" if changes else None


def _must(run: Run) -> None:
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
