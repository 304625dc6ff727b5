"""Where the generated pages stand in the project, and their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dreamseed.reference.commands import Command, commands_reference
from dreamseed.reference.components import components_reference
from dreamseed.reference.stage_file import stage_file_reference

FOLDER = "docs/reference"


def pages(project: Path, root: Command) -> Mapping[str, str]:
    """Return the text of every page by its path below `project`; `root` is the whole command."""
    return {
        f"{FOLDER}/stage-file.md": stage_file_reference(),
        f"{FOLDER}/components.md": components_reference(project),
        f"{FOLDER}/commands.md": commands_reference(root),
    }
