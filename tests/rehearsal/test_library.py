"""`rehearsal/` is a library: nothing in it knows what this project declares."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MODULES = sorted((PROJECT / "rehearsal").rglob("*.py"))
OWN = {path.name for path in PROJECT.iterdir() if path.is_dir() and any(path.glob("*.py"))} - {"rehearsal"}


def imported(source: str) -> Iterator[str]:
    """Yield the packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_no_module_of_the_rehearsal_imports_anything_of_this_project() -> None:
    assert len(MODULES) > 50
    found = {str(path.relative_to(PROJECT)): OWN & set(imported(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert {module: packages for module, packages in found.items() if packages} == {}


def test_an_import_of_this_project_would_be_found() -> None:
    assert {"dreamseed", "components", "tests"} <= OWN
    assert "rehearsal" not in OWN
    assert not OWN & set(sys.stdlib_module_names)
    lazy = "def f():\n    from dreamseed.config import Stage\n    import components.b2\n"
    assert OWN & set(imported(lazy)) == {"dreamseed", "components"}
