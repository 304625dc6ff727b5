"""The browser of the tests: Debian's Chromium, installed where it is missing and this user may.

`python -m tests.report.chromium` (or `make browser`) installs it; exit status 1 with the reason where that cannot be.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from rich.console import Console

from localtier.images.errors import ImageError
from localtier.images.machine import ensure_commands

PACKAGE_OF: Mapping[str, str] = {"chromium": "chromium"}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No sandbox, since continuous integration runs as root and opens only a page of this project's own; no traffic."""


def chromium() -> str | None:
    """Return where the browser is, None where there is none."""
    return shutil.which("chromium")


def main() -> int:
    """Install it; say why not."""
    console = Console(stderr=True)
    try:
        ensure_commands(console, PACKAGE_OF)
    except ImageError as error:
        console.print(f"No headless Chromium, so the tests that need one are skipped: {error}", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
