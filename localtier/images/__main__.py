"""Build what the shipped stages need here, images and programs: ``python -m localtier.images`` prints what each is.

``python -m localtier.images context KEY`` builds nothing: it writes the context of an image of ours to standard output.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dreamseed.catalog.images import IMAGES, reference_of
from dreamseed.config.load import STAGE_NAMES, find_project
from localtier.images import ImageError, LocalImage, ensure_images
from localtier.images.binaries import ensure_binary
from localtier.images.contexts import Context, packed, tree
from localtier.images.recipes import RECIPES
from localtier.stages import simulated_plan
from rehearsal.runner import Project
from rehearsal.toolchain.errors import ToolchainError

OUTSIDE = ("versitygw", "k6")
"""Programs that run outside of the servers: the object store, and the users."""


def needed_references(project: Path) -> tuple[str, ...]:
    """Return the full reference of every image that a stage of `project` runs on its hosts with simulated engines."""
    stages = Project(directory=project, stacks=STAGE_NAMES, passphrase="")
    keys: dict[str, None] = {}
    with tempfile.TemporaryDirectory() as folder:
        for stage in STAGE_NAMES:
            plan = simulated_plan(stages, stage, Path(folder))
            keys |= {key: None for images in plan.images.values() for key in images}
    return tuple(reference_of(key) for key in keys)


def table_of(images: list[LocalImage]) -> Table:
    """Return a table with an image a row."""
    table = Table(title="Images of the servers' tier on this machine")
    for heading in ("stands in for", "is", "build, s", "MB"):
        table.add_column(heading, justify="right" if heading in ("build, s", "MB") else "left")
    for image in images:
        name = (image.reference or image.key).partition("@")[0]
        table.add_row(name, RECIPES[image.key].what, f"{image.seconds:.0f}", f"{image.size_bytes / 1e6:.0f}")
    return table


def own_context(key: str) -> bytes:
    """Return the context of an image that the owners build, as a tar archive. Raises ImageError for any other."""
    own = [one.key for one in IMAGES.values() if one.own and one.key in RECIPES]
    if key not in own:
        raise ImageError(f"{key} is no image that the owners build from here", f"one of {', '.join(own)}")
    return packed(Context(files=tree(RECIPES[key]))).getvalue()


def main(words: Sequence[str]) -> int:
    """Build what is missing; return the exit status."""
    console = Console(stderr=bool(words))
    if words:
        asked, *keys = words
        try:
            if asked != "context" or len(keys) != 1:
                raise ImageError(f"there is no command {' '.join(words)}", "nothing, or: context KEY")
            sys.stdout.buffer.write(own_context(keys[0]))
        except ImageError as error:
            console.print(f"FAIL: {error}", style="red", markup=False)
            return 2
        return 0
    try:
        images = ensure_images(console, needed_references(find_project(Path.cwd())))
        for name in OUTSIDE:
            ensure_binary(name, console)
    except (ImageError, ToolchainError) as error:
        console.print(f"FAIL: {error}", style="red", markup=False)
        return 1
    console.print(table_of(list(images.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
