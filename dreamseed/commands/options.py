"""What several commands ask of an argument or option: a stage that there is, a file that can be written."""

from __future__ import annotations

from pathlib import Path

import typer

from dreamseed.config.load import STAGE_NAMES


def known_stage(stage: str) -> str:
    """Return `stage`; raises `typer.BadParameter` for one that there is not."""
    if stage not in STAGE_NAMES:
        raise typer.BadParameter(f"there is no stage {stage!r}: write one of {', '.join(STAGE_NAMES)}")
    return stage


def write_file(option: str, path: Path, text: str) -> None:
    """Write `text` to `path`; a place that cannot be written is the caller's mistake, told in words."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(
            f"{option} {path} cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from error
