"""Installs the plugin of `acme_plugin.py` as a vendor's plugin is installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("acme_plugin.py")
TABLES = Path(__file__).with_name("tables")


def install(home: Path, mode: str = "well", version: str = "2.3.0", package: str = "acme") -> Path:
    """Put a plugin that behaves as `mode` says below the engine's home; return its binary."""
    binary = home / "plugins" / f"resource-{package}-v{version}" / f"pulumi-resource-{package}"
    binary.parent.mkdir(parents=True)
    command = shlex.join([sys.executable, str(SCRIPT), mode])
    binary.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    return binary
