"""Progress of long steps: a spinner with the seconds on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

PLAIN_LINE_EVERY_SECONDS = 15.0


# Told of each step of a long job: the line that the job's tool just wrote.
Progress = Callable[[str], None]


@contextmanager
def shown(title: str, console: Console) -> Iterator[Progress]:
    """Show the job `title` on the console until the block ends, then how many seconds it took."""
    began = time.monotonic()
    with _spinner(title, console) if console.is_terminal else _lines(title, console) as progress:
        yield progress
    console.print(f"{title}: done in {time.monotonic() - began:.0f} s", highlight=False, soft_wrap=True)


@contextmanager
def _spinner(title: str, console: Console) -> Iterator[Progress]:
    began = time.monotonic()
    with console.status(title) as status:
        yield lambda detail: status.update(f"{title} · {time.monotonic() - began:.0f} s · {detail[-70:]}")


@contextmanager
def _lines(title: str, console: Console) -> Iterator[Progress]:
    began = last = time.monotonic()
    console.print(f"{title} ...", highlight=False, soft_wrap=True)

    def progress(detail: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PLAIN_LINE_EVERY_SECONDS:
            last = now
            console.print(f"  {now - began:.0f} s: {detail}", highlight=False, markup=False, soft_wrap=True)

    yield progress
