"""Which official plugins are installed here, and which of them may judge: those of the SDK's major version.

Source of the places and names: pulumi 3.259.0, sdk/go/common/workspace/plugins.go, read 2026-11-27.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

HOME_VARIABLE = "PULUMI_HOME"
SDK_FILE = "pulumi-plugin.json"
FOLDER = re.compile(r"v(?P<version>\d+(?:\.\d+)*)")
BINARY = "pulumi-resource-{package}"


class JudgeMode(StrEnum):
    """Who judges: the official plugin where one is installed, tables alone, or official plugins alone."""

    AUTO = "auto"
    TABLES = "tables"
    OFFICIAL = "official"

    @classmethod
    def _missing_(cls, value: object) -> JudgeMode:
        """Raise ValueError with what can be written."""
        raise ValueError(f"there is no judge {value!r}: write one of {', '.join(cls)}")


class NoPluginError(Exception):
    """An official plugin is asked for and not installed; the message holds the command that installs it."""


@dataclass(frozen=True)
class Wanted:
    """The plugin that a package's installed SDK asks for; both are empty when no SDK is installed."""

    version: str = ""
    server: str = ""

    @property
    def major(self) -> str:
        """The part of the version that must be the same."""
        return major_of(self.version)


@dataclass(frozen=True)
class Plugin:
    """An installed plugin; one on PATH does not tell its version before it runs (then it is empty)."""

    package: str
    binary: Path
    version: str = ""
    major: str = ""
    """The major version that it must have, or empty."""

    def __str__(self) -> str:
        return f"the official plugin {self.version or 'on PATH'} ({self.binary})"


def major_of(version: str) -> str:
    """`6` of `v6.23.1`."""
    return version.removeprefix("v").partition(".")[0]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def _sdks() -> Mapping[str, Wanted]:
    """What every installed SDK asks for, by package: SDKs say so in a file of their own, whatever they are called."""
    found: dict[str, Wanted] = {}
    for folder in map(Path, filter(None, sys.path)):
        for file in folder.glob(f"*/{SDK_FILE}") if folder.is_dir() else ():
            row = json.loads(file.read_text("utf-8"))
            wanted = Wanted(str(row.get("version") or "").removeprefix("v"), str(row.get("server") or ""))
            found.setdefault(row.get("name") or file.parent.name.removeprefix("pulumi_"), wanted)
    return found


def wanted(package: str) -> Wanted:
    """The plugin that the installed SDK of a package asks for."""
    return _sdks().get(package, Wanted())


def find_plugin(package: str) -> Plugin | None:
    """The plugin of a package: the SDK's version, else the newest of its major version, else the one on PATH."""
    asked = wanted(package)
    home = Path(os.environ.get(HOME_VARIABLE) or Path.home() / ".pulumi")
    there: dict[str, Path] = {}
    for binary in (home / "plugins").glob(f"resource-{package}-v*/{BINARY.format(package=package)}"):
        version = FOLDER.fullmatch(binary.parent.name.removeprefix(f"resource-{package}-"))
        if version is not None and os.access(binary, os.X_OK):
            there[version["version"]] = binary
    fitting = [version for version in there if not asked.major or major_of(version) == asked.major]
    if fitting:
        taken = asked.version if asked.version in fitting else max(fitting, key=_number)
        return Plugin(package, there[taken], taken, asked.major)
    on_path = shutil.which(BINARY.format(package=package))
    return Plugin(package, Path(on_path), major=asked.major) if on_path else None


def install_command(package: str) -> str:
    """The command that installs the plugin which the package's SDK asks for."""
    asked = wanted(package)
    command = f"pulumi plugin install resource {package} {asked.version}".rstrip()
    return f"{command} --server {asked.server}" if asked.server else command


def require(packages: Iterable[str]) -> None:
    """Raise `NoPluginError` when one of the packages has no plugin, with the commands that install what is missing."""
    missing = [package for package in packages if find_plugin(package) is None]
    if missing:
        raise NoPluginError(missing_message(missing))


def missing_message(packages: Iterable[str]) -> str:
    """What to say where official plugins are asked for and missing."""
    names = list(packages)
    commands = "\n".join(f"  {install_command(package)}" for package in names)
    return (
        f"no official plugin of {', '.join(names)} is installed (looked for the SDK's major version in "
        f"{HOME_VARIABLE} or ~/.pulumi, then on PATH), and the official ones are to judge. Install them, or let "
        f"tables judge what has none (JUDGE=auto):\n{commands}"
    )
