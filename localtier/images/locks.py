"""A part of requirements.lock: some packages with everything that they need."""

from __future__ import annotations

from collections.abc import Iterable

from localtier.images.errors import ImageError


def part_of_lock(lock: str, packages: Iterable[str]) -> str:
    """Return the lines of `lock`, as uv writes it, for `packages` and for what was locked because of them.

    Raises ImageError for a package that the lock does not hold.
    """
    entries = _entries(lock)
    wanted = list(packages)
    for name in wanted:
        if name not in entries:
            raise ImageError(f"requirements.lock does not hold {name}", f"{name} in requirements.in, then make lock")
    kept: dict[str, None] = {}
    while wanted:
        name = wanted.pop()
        kept[name] = None
        wanted += [other for other, (_, because) in entries.items() if name in because and other not in kept]
    return "".join(text for name, (text, _) in entries.items() if name in kept)


def _entries(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return each package's lines and the packages that it was locked for."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if not line.startswith((" ", "#")) and "==" in line:
            name = line.partition("==")[0].partition("[")[0]
            found[name] = []
        if name:
            found[name].append(line)
    return {
        name: (
            "".join(line for line in lines if not line.strip().startswith("#")),
            frozenset(
                line.strip().removeprefix("#").strip().removeprefix("via").strip()
                for line in lines
                if line.strip().startswith("#")
            ),
        )
        for name, lines in found.items()
    }
