"""The cache of built tools, per user and outside the clone: whole folders, put in place by one rename.

A folder in the cache is complete or it is not there: it is made under a temporary name and carries a manifest
with the size of each file, so that a build that was cut off or a file that was lost is seen and made again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFEST = "manifest.json"


def cache_root() -> Path:
    """Return the cache's folder: ``$XDG_CACHE_HOME/dreamseed`` or ``~/.cache/dreamseed``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dreamseed"


def is_complete(folder: Path) -> bool:
    """Tell whether every file of the folder's manifest is there with its size."""
    try:
        sizes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def put(folder: Path, make: Callable[[Path], None]) -> None:
    """Fill `folder` with `make` and its manifest, as `fill` does."""

    def make_with_manifest(made: Path) -> None:
        make(made)
        files = sorted(path for path in made.rglob("*") if path.is_file())
        sizes = {path.relative_to(made).as_posix(): path.stat().st_size for path in files}
        (made / MANIFEST).write_text(json.dumps(sizes, indent=1), encoding="utf-8")

    fill(folder, make_with_manifest)


def fill(folder: Path, make: Callable[[Path], None]) -> None:
    """Fill a new folder with `make` and rename it to `folder`, replacing what was there; it holds nothing else."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        make(made)
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file for the block; call `waiting` once if another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
