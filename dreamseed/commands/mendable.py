"""Errors of the servers' tier that a person can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from localtier.drills.server import DrillError
from localtier.images import ImageError
from localtier.k6 import K6Failed
from localtier.load.run import LoadError
from rehearsal.hosts import HostsError
from rehearsal.providers.host import HostFailedError
from rehearsal.toolchain import ToolchainError

MENDABLE = (DrillError, ToolchainError, HostFailedError, HostsError, ImageError, LoadError, K6Failed)


@contextmanager
def mendable() -> Iterator[None]:
    """Print what a person can mend without a trace, and exit with 1."""
    try:
        yield
    except MENDABLE as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
