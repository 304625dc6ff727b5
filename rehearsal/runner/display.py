"""Show a rehearsal while it runs: bars on a terminal, a line a finished step elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from rehearsal.runner.steps import Progress, Watch


@contextmanager
def watching(console: Console, *lines: str) -> Iterator[tuple[Watch, ...]]:
    """Give a watch for each line of work, named by `lines`, until the block ends."""
    if not console.is_terminal:
        yield tuple(_plain(console, line) for line in lines)
        return
    columns = (
        TextColumn("{task.fields[line]:<9}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield tuple(_bar(bars, line) for line in lines)


def _bar(bars: Bars, line: str) -> Watch:
    task = bars.add_task("starting", line=line, total=None)

    def watch(progress: Progress) -> None:
        shown = f"{progress.step} · {progress.resources} resources"
        bars.update(task, description=shown, completed=progress.done, total=progress.total)

    return watch


def _plain(console: Console, line: str) -> Watch:
    told = 0

    def watch(progress: Progress) -> None:
        nonlocal told
        if progress.done > told:
            told = progress.done
            text = f"{line} {progress.done}/{progress.total}: {progress.step}, {progress.resources} resources"
            console.print(text, highlight=False, markup=False, soft_wrap=True)

    return watch
