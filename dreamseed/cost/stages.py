"""Naming a stage to be priced: its name, a stage file, or either in a git revision."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamseed.config import STAGE_NAMES, merge, merged_document, stage_document, stage_file
from dreamseed.config.load import PROJECT_FILE
from dreamseed.cost.what_if import planned_with
from dreamseed.errors import ConfigError
from dreamseed.planning.stage_plan import StagePlan

GIT = "git:"
ADDED_SECTIONS = ("usage", "budget", "monitoring")
"""Sections, or keys of them, that older revisions lack; only estimates and guardrails read what was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStage:
    """A stage file's content, not yet checked. `name` stands in errors and headings."""

    name: str
    document: dict[str, Any]

    def plan(self, changes: tuple[str, ...] = ()) -> StagePlan:
        """Return its plan, with what-if `changes`."""
        return planned_with(self.document, changes, self.name)


def named_stage(written: str, project: Path) -> NamedStage:
    """Return the stage that `written` names: ``stage-c``, a path ending in .yaml, or ``git:REVISION:`` before either.

    Raises `ConfigError` when there is none.
    """
    if written.startswith(GIT):
        revision, _, name = written.removeprefix(GIT).rpartition(":")
        return _of_revision(revision, name, project, written)
    path = Path(written) if written.endswith(".yaml") else stage_file(project, written)
    if not path.is_file():
        raise ConfigError(
            written,
            "there is no such stage",
            "a stage is named, or its file is given",
            f"one of {', '.join(STAGE_NAMES)}, a path ending in .yaml, or git:REVISION:stage-c",
        )
    return NamedStage(name=path.stem.removeprefix("Pulumi."), document=stage_document(path, project))


def _of_revision(revision: str, name: str, project: Path, written: str) -> NamedStage:
    if not revision or revision.startswith("-") or not name:
        raise ConfigError(written, "names no revision and stage", "both are needed", "git:main:stage-c")
    file = name if name.endswith(".yaml") else stage_file(Path(), name).name
    shared, stage = (_show(revision, each, project, written) for each in (PROJECT_FILE, file))
    old = merged_document(shared, stage, file)
    today = project / file
    current = stage_document(today if today.is_file() else stage_file(project, STAGE_NAMES[0]), project)
    defaults = {section: current[section] for section in ADDED_SECTIONS}
    return NamedStage(name=f"{Path(file).stem.removeprefix('Pulumi.')} at {revision}", document=merge(defaults, old))


def _show(revision: str, file: str, project: Path, written: str) -> str:
    """Return the text of `file`, beside the project file, as it is in `revision`."""
    run = subprocess.run(
        ["git", "-C", str(project), "show", f"{revision}:./{file}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise ConfigError(
            written,
            f"git has no {file} in {revision} ({run.stderr.strip()})",
            "an estimate of a revision reads its own stage file",
            "a revision that git knows, such as git:main:stage-c",
        )
    return run.stdout
