"""Installs the plugins of this folder as a vendor's plugin is installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from rehearsal.providers.plugin.finding import wanted

SCRIPT = Path(__file__).with_name("acme_plugin.py")
MIRROR = Path(__file__).with_name("mirror_plugin.py")
TABLES = Path(__file__).with_name("tables")


def install(home: Path, mode: str = "well", version: str = "2.3.0", package: str = "acme") -> Path:
    """Put a plugin that behaves as `mode` says below the engine's home; return its binary."""
    return _install(home, package, version, [SCRIPT, mode])


def install_mirror(home: Path, package: str) -> Path:
    """Put a plugin that says what our tables of the package say; return its binary."""
    version = wanted(package).version
    return _install(home, package, version, [MIRROR, package, version])


def _install(home: Path, package: str, version: str, script: list[Path | str]) -> Path:
    binary = home / "plugins" / f"resource-{package}-v{version}" / f"pulumi-resource-{package}"
    binary.parent.mkdir(parents=True)
    binary.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *map(str, script)])} "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    return binary
