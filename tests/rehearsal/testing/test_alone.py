"""`rehearsal` installed alone rehearses another project, from that project's own folder."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from rehearsal.toolchain import ensure_engine
from tests.rehearsal.testing import installed
from tests.rehearsal.testing.installed import PROJECT

EXAMPLE = PROJECT / "examples" / "shop"
PAGE = PROJECT / "docs" / "how-to" / "rehearse-your-own-program.md"
SETTINGS = tomllib.loads((PROJECT / "rehearsal" / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.engine
def test_the_example_passes_in_its_own_folder_with_only_rehearsal_installed(tmp_path: Path) -> None:
    wheel = installed.build_wheel(tmp_path)
    python = installed.install_alone(wheel, tmp_path / "environment", extra="pytest")
    shop = Path(shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__", ".*_cache")))
    toolchain = ensure_engine()
    path = toolchain.path()

    for absent in ("dreamseed", "components", "tests", "docker", "b2sdk", "cryptography", "pulumi_docker", "typer"):
        missing = installed.run(python, "-c", f"import {absent}", cwd=shop, path=path)
        assert "ModuleNotFoundError" in missing.stderr, absent
    ran = installed.run(python, "-m", "pytest", "-q", cwd=shop, path=path)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_the_wheel_holds_every_module_and_every_table(tmp_path: Path) -> None:
    folder = PROJECT / "rehearsal"
    packages = {".".join(("rehearsal", *path.parent.relative_to(folder).parts)) for path in folder.rglob("__init__.py")}
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == packages
    data = SETTINGS["tool"]["setuptools"]["package-data"]
    held = {
        found
        for package, patterns in data.items()
        for pattern in patterns
        for found in (folder / package.removeprefix("rehearsal.")).glob(pattern)
    }
    others = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in others - held if path.suffix != ".py"} == {folder / "pyproject.toml"}


def test_what_the_wheel_requires_is_what_is_locked_here() -> None:
    project = SETTINGS["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([\w.!]+)", lock, re.MULTILINE))
    for requirement in wanted:
        name, oldest = requirement.split(">=")
        assert _numbers(locked[name]) >= _numbers(oldest), requirement


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_the_page_shows_the_example_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^`examples/shop/([\w.]+)`.*?```python\n(.*?)```", page, re.DOTALL | re.MULTILINE))
    assert set(blocks) == {"__main__.py", "test_shop.py"}
    for name, shown in blocks.items():
        assert shown == (EXAMPLE / name).read_text(encoding="utf-8"), name
