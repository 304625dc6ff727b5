"""The file system of an image as a plain folder: a drill's servers are overlays of it, without a Docker Engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from localtier.images import ensure_images
from localtier.images.engine import builder
from localtier.images.machine import command_path
from localtier.images.recipes import DIGEST_SHOWN
from rehearsal.toolchain import cache
from rehearsal.toolchain.progress import shown


def ensure_root(reference: str, console: Console) -> Path:
    """Return the unpacked file system of the stand-in for the image `reference`, made once for each content.

    Raises ImageError as `ensure_images` does.
    """
    image = ensure_images(console, [reference])[reference]
    folder = cache.cache_root() / "drills" / f"{image.key}-{image.content[:DIGEST_SHOWN]}"
    if not folder.is_dir():
        with cache.locked(folder.with_suffix(".lock"), lambda: console.print("Another drill unpacks: waiting ...")):
            if not folder.is_dir():
                with shown(f"Unpacking {image.key} for drills (once for this content)", console):
                    cache.fill(folder, lambda made: _unpack(image.tag, made, console))
    return folder


def _unpack(tag: str, folder: Path, console: Console) -> None:
    with builder(console) as engine:
        container = engine.containers.create(tag)
        try:
            command = [command_path("tar"), "--extract", "--numeric-owner", "--same-owner", "--directory", str(folder)]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as tar:
                assert tar.stdin is not None  # noqa: S101 - asked for above
                chunks: Iterator[bytes] = container.export()  # type: ignore[assignment] # bytes, whatever the stubs say
                for chunk in chunks:
                    tar.stdin.write(chunk)
            if tar.returncode:
                raise subprocess.CalledProcessError(tar.returncode, command)
        finally:
            container.remove(v=True)
