"""`dreamseed sbom`: the bill of materials of what is deployed, and of what deploys it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.options import write_file
from dreamseed.config.load import find_project
from dreamseed.sbom.document import document
from dreamseed.sbom.parts import parts

OUTPUT_HELP = "Write it to this file instead of the terminal."


def sbom(output: Annotated[Path | None, typer.Option("--output", dir_okay=False, help=OUTPUT_HELP)] = None) -> None:
    """Print every locked Python package, image and module of Go as CycloneDX 1.6.

    In it: what the lock files, the catalogue of images, the stage files and the engine's build pin. Not in it: what
    lies inside of images, and stand-ins, which are deployed nowhere. The same pins give the same text.
    """
    found = parts(find_project(Path.cwd()))
    text = document(found)
    if output is None:
        typer.echo(text, nl=False)
        return
    write_file("--output", output, text)
    counts = Counter(part.kind for part in found)
    counted = ", ".join(f"{number} of {kind}" for kind, number in sorted(counts.items()))
    Console(stderr=True).print(f"{output}: {len(found)} parts, {counted}", highlight=False, soft_wrap=True)
