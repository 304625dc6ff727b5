"""The context of a build: what is in it, what it hashes to, and how it is packed, the same for the same content."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from localtier.images import binaries
from localtier.images.locks import part_of_lock
from localtier.images.recipes import PROJECT, Recipe, digest
from localtier.images.sources import files_of

LEFT_OUT = ("__pycache__", ".mypy_cache")
STAND_IN_FILE = "STAND-IN.txt"


@dataclass(frozen=True, kw_only=True)
class Context:
    """Files of a build by their path in it, with modes; `programs` are large and are read only when it is packed."""

    files: Mapping[str, tuple[bytes, int]]
    programs: Mapping[str, Path] = field(default_factory=dict)


def tree(recipe: Recipe) -> dict[str, tuple[bytes, int]]:
    """Return the files of the recipe's folder, its module and its lock: content and mode, by path in the context."""
    files = {path.relative_to(recipe.path).as_posix(): _read(path) for path in _files(recipe.path)}
    if recipe.module is not None:
        for path in files_of(recipe.module, PROJECT):
            files[f"source/{path.relative_to(PROJECT).as_posix()}"] = _read(path)
    if recipe.packages:
        lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
        files["requirements.lock"] = (part_of_lock(lock, recipe.packages).encode(), 0o644)
    return files


def content_digest(recipe: Recipe, references: tuple[str, ...], bases: Mapping[str, str], authority: bytes) -> str:
    """Return a digest of what decides the image: its tree, programs, bases, authority, and what it stands for."""
    parts = [f"{path}\0{mode}\0".encode() + content for path, (content, mode) in sorted(tree(recipe).items())]
    parts += [f"{name} {binaries.digest_of(name)}".encode() for name in recipe.binaries]
    parts += [f"{argument}={base}".encode() for argument, base in sorted(bases.items())]
    parts += [stand_in_text(recipe, references).encode(), authority]
    return digest(parts)


def stand_in_text(recipe: Recipe, references: tuple[str, ...]) -> str:
    """Return what the image says of itself in /STAND-IN.txt."""
    lines = ["This is a stand-in, made on one machine to try the servers' tier where no registry can be reached."]
    lines += [f"It stands for: {reference}" for reference in references]
    lines += [f"It is: {recipe.what}.", "What it does not imitate: docs/reference/stand-ins.md of the project."]
    return "\n".join(lines) + "\n"


def packed(context: Context) -> io.BytesIO:
    """Return the context as a tar archive without times or owners."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for path, (content, mode) in sorted(context.files.items()):
            _add(archive, path, content, mode)
        for path, program in sorted(context.programs.items()):
            _add(archive, path, program.read_bytes(), 0o755)
    target.seek(0)
    return target


def _add(archive: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))


def _files(path: Path) -> Iterator[Path]:
    for child in sorted(path.rglob("*")):
        if child.is_file() and not any(part in LEFT_OUT for part in child.parts):
            yield child


def _read(path: Path) -> tuple[bytes, int]:
    # Only whether it is a program: the rest of a mode depends on who cloned.
    return path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644
