"""The revision that a change is compared with: its files, and the lines that were added since."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from dreamseed.errors import DreamSeedError


def commit_of(base: str, project: Path) -> str:
    """Return the commit from which the tree and `base` parted; raises `DreamSeedError` when git knows none."""
    return _git(project, base, "merge-base", base, "HEAD").strip()


def changed_files(commit: str, project: Path) -> list[str]:
    """Return the paths, below `project`, that differ between the commit and the tree; new files too."""
    changed = _git(project, commit, "diff", "--name-only", "--relative", commit, "--", ".")
    return sorted({*changed.splitlines(), *_new_files(commit, project)})


def added(commit: str, project: Path) -> str:
    """Return what was added since the commit, as a unified diff; new files as a whole."""
    diff = _git(project, commit, "diff", "--unified=0", "--relative", commit, "--", ".")
    for name in _new_files(commit, project):
        try:
            text = (project / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        diff += f"+++ b/{name}\n@@ -0,0 +1 @@\n" + "".join(f"+{line}\n" for line in text.splitlines())
    return diff


def unpack(commit: str, project: Path, folder: Path) -> None:
    """Write the project as it was at the commit into `folder`."""
    run = subprocess.run(
        ["git", "-C", str(project), "archive", "--format=tar", commit],  # noqa: S607
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(run.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _new_files(commit: str, project: Path) -> list[str]:
    return _git(project, commit, "ls-files", "--others", "--exclude-standard").splitlines()


def _git(project: Path, base: str, *words: str) -> str:
    run = subprocess.run(["git", "-C", str(project), *words], capture_output=True, text=True, check=False)  # noqa: S607
    if run.returncode:
        raise DreamSeedError(
            base,
            f"git cannot compare with it ({run.stderr.strip()})",
            "a change is judged by what differs from a revision that it grew from",
            "a branch or commit that was fetched with its history: make pull-request BASE=origin/main",
        )
    return run.stdout
