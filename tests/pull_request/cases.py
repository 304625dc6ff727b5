"""Changes as branches of a repository of their own: the shipped project as base, and one change on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BASE = "base"
TOKEN = "ghp_" + "a1B2" * 9


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change: in a file, a text that is there once, and what stands there instead."""

    edits: tuple[tuple[str, str, str], ...]
    promotions: bool = True


CASES: Mapping[str, Case] = {
    "harmless": Case(edits=(("Pulumi.stage-a.yaml", "max_instances: 3", "max_instances: 4"),)),
    "replaced-database": Case(
        edits=(
            ("Pulumi.stage-d.yaml", "stage: D\n", "stage: D\n      region: us-east1\n      zone: us-east1-b\n"),
            ("Pulumi.stage-d.yaml", "max_workers: 2\n", "max_workers: 2\n        zones: [us-east1-b]\n"),
        ),
        promotions=False,  # those into and out of D are the longest of all
    ),
    "cost-jump": Case(edits=(("Pulumi.stage-a.yaml", "min_instances: 0", "min_instances: 3"),)),
    "leaked-secret": Case(
        edits=(("Pulumi.stage-a.yaml", "dashboards: false\n", f"dashboards: false\n      mail: {{user: {TOKEN}}}\n"),)
    ),
    "typo": Case(edits=(("Pulumi.stage-c.yaml", "min_instances:", "min_instance:"),)),
}
"""What may happen to a pull request, and one change that does it."""


def repository(case: Case, folder: Path) -> Path:
    """Return a repository in `folder`: the shipped files at the tag `BASE`, the change uncommitted on top."""
    listed = _git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in listed:
        if (PROJECT / name).is_file() and not name.startswith(("docs/pictures", "tests/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "The base"), ("tag", BASE)):
        _git(folder, "-c", "user.name=Tests", "-c", "user.email=tests@dreamseed.example", *words)
    for name, before, after in case.edits:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} has {before!r} {text.count(before)} times"
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    return folder


def _git(folder: Path, *words: str) -> str:
    run = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)  # noqa: S607
    return run.stdout
