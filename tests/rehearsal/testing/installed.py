"""A fresh environment that holds the wheel of `rehearsal/` and what it needs, and nothing else of this project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

PROJECT = Path(__file__).parents[3]
NAME = re.compile(r"[\w.-]+")


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of `rehearsal/` alone; without network, with the locked setuptools."""
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    source = shutil.copytree(PROJECT / "rehearsal", folder / "rehearsal", ignore=ignored)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    _pip("wheel", *options, str(source))
    [wheel] = folder.glob("*.whl")
    return wheel


def install_alone(wheel: Path, folder: Path, *, extra: str) -> Path:
    """Return the Python of a new environment with pip, the wheel installed by it, and what it requires, with `extra`.

    Requirements are not downloaded again: each file of those distributions, and of no others, is a link to the file in
    this project's environment, which holds them as locked.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    _pip("--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    [site] = (folder / "lib").glob("python*/site-packages")
    # The language host of the engine asks the environment's pip what is installed.
    for needed in (*required(wheel_metadata(site), extra), distribution("pip")):
        link(needed, site)
    return python


def wheel_metadata(site: Path) -> Distribution:
    [found] = Distribution.discover(path=[str(site)], name="rehearsal")
    return found


def required(of: Distribution, extra: str = "") -> list[Distribution]:
    """Return what a distribution requires, and what that requires, as far as it is installed here.

    Missing ones are for other platforms or Pythons: `pip check` is what says so in the environment itself.
    """
    found: dict[str, Distribution] = {}
    asked = list(_names(of, extra))
    while asked:
        name = asked.pop()
        if name not in found:
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:
                continue
            asked += _names(found[name], "")
    return list(found.values())


def _names(of: Distribution, extra: str) -> Iterator[str]:
    for requirement in of.requires or ():
        words, _, marker = requirement.partition(";")
        name = NAME.match(words)
        wanted = "extra" not in marker or (extra and re.search(rf"extra == ['\"]{extra}['\"]", marker))
        if name and wanted:
            yield re.sub(r"[-_.]+", "-", name[0]).lower()


def link(of: Distribution, site: Path) -> None:
    """Link each file of an installed distribution into another environment's packages."""
    for file in of.files or ():
        if ".." in file.parts:
            continue
        here, there = Path(str(of.locate_file(file))), site / file
        if here.exists() and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(here)


def run(python: Path, *arguments: str, cwd: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python, with nothing of this process's own search path."""
    kept = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [str(python), *arguments], cwd=cwd, env=kept | {"PATH": path}, capture_output=True, text=True, check=False
    )


def _pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
