"""Time previews through the real engine and the attached providers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from rehearsal.providers.host import ProviderHost
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.workspace import Project, Workspace
from rehearsal.toolchain import Toolchain

BARE = Path(__file__).with_name("bare")
CONTAINER = "docker:index/container:Container"


@contextmanager
def engine_for(project: Project, toolchain: Toolchain, folder: Path) -> Iterator[Engine]:
    """Give an engine on the project, with a stack made for each of its stacks and providers of its own."""
    with ProviderHost(folder / "cloud") as host:
        yield _engine(project, toolchain, folder, host.environment())


@contextmanager
def engine_alone(project: Project, toolchain: Toolchain, folder: Path) -> Iterator[Engine]:
    """Give an engine on a project of bare containers, with a provider that says yes to everything (`nothing.py`)."""
    command = [sys.executable, "-m", "bench.nothing", "docker"]
    with subprocess.Popen(command, cwd=BARE.parents[1], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield _engine(project, toolchain, folder, {"PULUMI_DEBUG_PROVIDERS": f"docker:{port}"})
        finally:
            process.terminate()


def _engine(project: Project, toolchain: Toolchain, folder: Path, providers: Mapping[str, str]) -> Engine:
    workspace = Workspace(project, folder / "workspace")
    workspace.prepare()
    engine = Engine(toolchain, workspace, workspace.environment(toolchain, providers))
    for stack in project.stacks:
        checked(engine.create_stack(stack, like=stack))
    return engine


def preview(engine: Engine, stack: str) -> Run:
    """Preview a stack from nothing; raises RuntimeError in the engine's words when it fails."""
    return checked(engine.preview(stack, stack, lambda _: None))


def checked(run: Run) -> Run:
    """Return the run; raises RuntimeError in the engine's words when it failed."""
    if not run.succeeded:
        raise RuntimeError("\n".join(run.errors))
    return run


def seconds(times: int, *what: tuple[Engine, str]) -> list[float]:
    """Return the median seconds of so many previews of each stack, by turns: a busy machine is busy for all of them."""
    turns = [[preview(engine, stack).seconds for engine, stack in what] for _ in range(times)]
    return [median(column) for column in zip(*turns, strict=True)]


def together(engine: Engine, stacks: Sequence[str]) -> float:
    """Return the seconds that previews of all stacks take which begin at the same time."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(stacks)) as pool:
        list(pool.map(lambda stack: preview(engine, stack), stacks))
    return time.monotonic() - began


def bare_project(folder: Path, counts: tuple[int, ...]) -> Project:
    """Write a project of bare containers into `folder`: two stacks for each count, see `bare_stack`."""
    shutil.copytree(BARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    stacks = {bare_stack(count, collect): (count, collect) for count in counts for collect in (True, False)}
    for stack, (count, collect) in stacks.items():
        config = f"config:\n  bare:count: {count}\n  bare:collect: {str(collect).lower()}\n"
        (folder / f"Pulumi.{stack}.yaml").write_text(config, encoding="utf-8")
    return Project(directory=folder, stacks=tuple(stacks), passphrase="")


def bare_stack(count: int, collect: bool = True) -> str:
    """Return the stack of so many bare containers; without `collect` its program runs with no collector."""
    return f"bare-{count}" if collect else f"bare-{count}-uncollected"
