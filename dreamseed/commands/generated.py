"""Files that a command generates: kept fresh, or reported stale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer


def keep_fresh(folder: Path, texts: Mapping[str, str], *, check: bool, fault: str, remedy: str, noun: str) -> None:
    """Write those of `texts` (by path below `folder`) that differ from their file, and say which.

    With `check` nothing is written: exit status 1, with `fault` after the stale paths and `remedy` below, when any is.
    """
    stale = [path for path, text in texts.items() if not holds(folder / path, text)]
    if check and stale:
        typer.echo(f"{', '.join(stale)} {fault}", err=True)
        typer.echo(f"  {remedy}", err=True)
        raise typer.Exit(1)
    for path in stale:
        save(folder / path, texts[path])
        typer.echo(f"wrote {path}")
    if not stale:
        typer.echo(f"all {len(texts)} {noun} are fresh")


def holds(path: Path, text: str) -> bool:
    """Tell whether the file is there and holds exactly `text`."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def save(path: Path, text: str) -> None:
    """Write `text`, making the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
