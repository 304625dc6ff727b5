"""Which files of the project a program of ours needs: itself and what it imports; no other change rebuilds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from localtier.images.errors import ImageError


def files_of(module: str, project: Path) -> tuple[Path, ...]:
    """Return the files of `module` and of every module of `project` that it imports, in functions too, sorted.

    Packages on the way are imported as well. Raises ImageError when the project has no such module.
    """
    waiting = [*_packages(module)]
    if _file(module, project) is None:
        raise ImageError(f"the project has no module {module}", "a module that exists, in localtier/images/recipes.py")
    found: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        path = _file(name, project)
        if path is None or name in found:
            continue
        found[name] = path
        for imported in _imports(path):
            waiting += _packages(imported)
    return tuple(sorted(found.values()))


def _packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))


def _file(module: str, project: Path) -> Path | None:
    base = project.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # What is imported from a package may be one of its modules.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
