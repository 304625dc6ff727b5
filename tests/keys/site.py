"""A stack whose keys are exchanged by the command, in a project folder of its own, and what can be asked about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamseed.commands import standing as settings
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config.load import PROJECT_FILE, SHARED_KEY
from rehearsal.runner import Project
from tests.recovery.site import STACK, Site, copied, standing


@dataclass(frozen=True)
class Stood:
    """A stack that stands: its project and its folder."""

    project: Project
    folder: Path
    stage: str


def stand(program: Path, stage: str, folder: Path) -> Stood:
    """Bring a stack of `program` to `stage`."""
    (folder / "project").mkdir(parents=True)
    project = rehearsed_project().running(program, folder / "project")
    with standing(project, folder / "stack", stage) as site:
        assert site.engine.create_stack(STACK, like=stage).succeeded
        site.up(stage)
    return Stood(project, folder / "stack", stage)


@contextmanager
def a_copy(stood: Stood, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a copy of the stack, with a copy of its project: the command writes to both."""
    shutil.copytree(stood.project.directory, folder / "project")
    project = replace(stood.project, directory=folder / "project")
    monkeypatch.setattr(settings, "rehearsed_project", lambda: project)
    with copied(project, stood.folder, folder / "stack", stood.stage) as site:
        yield site


def declared(site: Site) -> dict[str, Any]:
    """Return what the project file says of keys."""
    document = yaml.safe_load((site.project.directory / PROJECT_FILE).read_text(encoding="utf-8"))
    return dict(document["config"][SHARED_KEY]["value"].get("keys") or {})


def named(site: Site, kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources whose type ends with `kind`, by name, with their secrets."""
    state = site.engine.read_state(STACK, show_secrets=True)
    return {r["urn"].rpartition("::")[2]: r for r in state["deployment"]["resources"] if r["type"].endswith(kind)}


def secret(resource: dict[str, Any], name: str) -> str:
    """Return a secret output."""
    return str(json.loads(resource["outputs"][name]["plaintext"]))


def unlock(site: Site) -> None:
    """Do what `pulumi cancel` does after a kill."""
    site.engine.workspace.unlock(STACK)
