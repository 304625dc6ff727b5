"""Which revision a report was made of, and by which command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DIRTY = "-dirty"
HASH_DIGITS = 40


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`commit` is None outside of git; `changed` tells that files of it were changed and not committed."""

    command: str
    commit: str | None = None
    changed: bool = False


def origin_of(project: Path, command: str) -> Origin:
    """Return the revision that is checked out in `project`; without git, or before the first commit, none."""
    asked = ["git", "-C", str(project), "describe", "--always", "--dirty", f"--abbrev={HASH_DIGITS}", "--exclude=*"]
    try:
        run = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return Origin(command=command)
    found = run.stdout.strip()
    return Origin(command=command, commit=found.removesuffix(DIRTY), changed=found.endswith(DIRTY))
