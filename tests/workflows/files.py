"""The workflows as they are written: jobs, steps, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".github/workflows"


@dataclass(frozen=True)
class Job:
    """One job of one workflow, as YAML; `triggers` are the workflow's."""

    workflow: str
    name: str
    triggers: tuple[str, ...]
    content: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Return its steps."""
        steps: list[dict[str, Any]] = self.content["steps"]
        return steps

    @property
    def commands(self) -> list[list[str]]:
        """Return the words of every command that its steps run."""
        return [words for step in self.steps for words in commands(step.get("run", ""))]

    @property
    def secrets(self) -> set[str]:
        """Return the names of the secrets that it reads."""
        return set(re.findall(r"secrets\.(\w+)", str(self.content)))


def workflows() -> dict[str, dict[Any, Any]]:
    """Return every workflow by its file's name."""
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}


def jobs() -> list[Job]:
    """Return the jobs of all workflows that have steps of their own: the others call a workflow."""
    return [
        # YAML 1.1 reads the key `on` as true.
        Job(file, name, tuple(content[True]), job)
        for file, content in workflows().items()
        for name, job in content["jobs"].items()
        if "steps" in job
    ]


def commands(script: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script; pipes and lists are taken apart."""
    for line in script.splitlines():
        parts: list[str] = []
        for word in [*shlex.split(line, comments=True), ";"]:
            if word in ("|", "&&", "||", ";", ">>", ">"):
                if parts:
                    yield parts
                parts = []
            else:
                parts.append(word)
