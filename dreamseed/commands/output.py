"""Writing the file that an option names."""

from __future__ import annotations

from pathlib import Path

import typer


def write_file(option: str, path: Path, text: str) -> None:
    """Write `text` to `path`; a place that cannot be written is the caller's mistake, told in words."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(
            f"{option} {path} cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from error
