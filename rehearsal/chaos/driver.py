"""Try batches of faults on one promotion, refresh or destroy, from where it starts."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.chaos.matrix import Batch, steps_of
from rehearsal.chaos.trials import STACK, TRIALS, Kind, Start, take_off_guards
from rehearsal.chaos.verdict import existing, leaks, secrets_of
from rehearsal.providers import faults
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.faults import Fault
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.resources import Classify
from rehearsal.runner.workspace import Workspace
from rehearsal.toolchain import Toolchain

CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"


@dataclass(frozen=True)
class Tried:
    """What came of a batch: the faults that were met, those that never came, the runs, and what was wrong."""

    met: tuple[Fault, ...]
    not_met: tuple[Fault, ...]
    runs: int
    recoveries: int
    wrong: tuple[str, ...]
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where promotions of `project` are tried; `root` takes all files."""

    project: Project
    toolchain: Toolchain
    root: Path
    classify: Classify

    def engine(self, folder: Path, host: ProviderHost, *, may_die: bool = False) -> Engine:
        """Return the engine on the state in `folder`; one that may die writes its state after each step."""
        workspace = Workspace(self.project, folder / "engine")
        workspace.prepare()
        environment = workspace.environment(self.toolchain, host.environment())
        if may_die:
            environment.pop(CHECKPOINTS)
        return Engine(self.toolchain, workspace, environment, pid_file=folder / "cloud" / faults.ENGINE)

    def begin(self, stage: str, after: Start | None) -> tuple[Start, Start]:
        """Run the promotion to `stage` without a fault; return where it starts, and where it ended."""
        before = self.root / f"before-{stage}"
        if after is not None:
            shutil.copytree(after.folder, before)
        else:
            before.mkdir(parents=True)
            with ProviderHost(before / "cloud") as host:
                _needs(self.engine(before, host).create_stack(STACK, like=stage))
        ended = self.root / f"at-{stage}"
        start = self._without_faults(
            Start(stage=stage, folder=before, steps=(), objects=Counter(), public=frozenset()),
            ended,
            lambda engine: engine.up(STACK, stage, lambda _: None),
        )
        return start, replace(start, folder=ended)

    def begin_refresh(self, at: Start) -> Start:
        """Refresh what stands without a fault; return where that starts."""
        start = replace(at, kind=Kind.REFRESH)
        ended = self.root / f"refreshed-{at.stage}"
        return self._without_faults(start, ended, lambda engine: engine.refresh(STACK, at.stage, lambda _: None))

    def begin_destroy(self, at: Start) -> Start:
        """Destroy what stands without a fault; return where that starts."""
        start = replace(at, kind=Kind.DESTROY)
        ended = self.root / f"destroyed-{at.stage}"

        def destroy(engine: Engine) -> Run:
            take_off_guards(engine, ended / "cloud")
            return engine.destroy(STACK, at.stage, lambda _: None)

        return self._without_faults(start, ended, destroy)

    def _without_faults(self, start: Start, ended: Path, do: Callable[[Engine], Run]) -> Start:
        """Run without a fault in a copy, `ended`; return the start with what that did."""
        shutil.copytree(start.folder, ended)
        faults.write_plan(ended / "cloud", ())
        with ProviderHost(ended / "cloud") as host:
            engine = self.engine(ended, host)
            _needs(do(engine))
            secrets = secrets_of(engine.read_state(STACK, show_secrets=True))
        public = frozenset(leaks(secrets, [ended / "cloud", engine.workspace.backend], []))
        with closing(FakeCloud(ended / "cloud")) as cloud:
            objects = Counter(token for token, _ in existing(cloud))
        steps = steps_of(faults.journal(ended / "cloud"))
        return replace(start, steps=steps, objects=objects, public=start.public | public)

    def try_batch(self, start: Start, batch: Batch, name: str) -> Tried:
        """Try one batch from `start`; whatever it makes is removed when nothing was wrong."""
        began = time.monotonic()
        folder = self.root / name
        shutil.copytree(start.folder, folder)
        faults.write_plan(folder / "cloud", batch.faults)
        trial = TRIALS[start.kind](self.engine, self.classify, start, folder, batch.faults)
        trial.run()
        waiting = trial.waiting()
        met = tuple(fault for fault in batch.faults if fault not in waiting)
        if not trial.wrong:
            shutil.rmtree(folder)
        return Tried(met, waiting, len(trial.runs), trial.recoveries, tuple(trial.wrong), time.monotonic() - began)


def _needs(run: Run) -> None:
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
