"""The shipped stages with another program than the project's: what the real engine runs to be held to something."""

from __future__ import annotations

import shutil
from pathlib import Path

from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config import STAGE_NAMES
from rehearsal.runner import Project


def project_running(program: Path, folder: Path) -> Project:
    """Return a project in the empty `folder`, with the shipped stage files, whose program is the file `program`."""
    shipped = rehearsed_project()
    for name in ("Pulumi.yaml", *(f"Pulumi.{stage}.yaml" for stage in STAGE_NAMES)):
        shutil.copy(shipped.directory / name, folder / name)
    (folder / "__main__.py").write_text(f"import runpy\n\nrunpy.run_path({str(program)!r})\n", encoding="utf-8")
    return Project(directory=folder, stacks=STAGE_NAMES, passphrase=shipped.passphrase)
