"""A folder of its own for a rehearsal: the state backend, the engine's home, copies of the stacks' settings.

The engine may rewrite the settings of a stack (it adds the salt of its passphrase), so it is given copies;
the program itself runs where it is.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from rehearsal.programs.choice import FORKED, HOST
from rehearsal.toolchain import Toolchain

PROJECT_FILE = "Pulumi.yaml"
BACKEND = "PULUMI_BACKEND_URL"
CHECKPOINT_VERSION = 3
ENGINE_NAME = "pulumi"
"""What the kernel calls the engine's process, where it has /proc."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A Pulumi project and its stacks in the order of the ladder; `passphrase` opens their secrets.

    `preloaded` are modules that a process may import once for many runs: those that read nothing of a run while they
    are imported, neither configuration nor environment. Whenever a file of one has changed they are imported anew.
    """

    directory: Path
    stacks: tuple[str, ...]
    passphrase: str
    preloaded: tuple[str, ...] = ()

    def running(self, program: Path, folder: Path) -> Project:
        """Return a project in the empty `folder`, with copies of this one's files, that runs the file `program`."""
        for name in (PROJECT_FILE, *(f"Pulumi.{stack}.yaml" for stack in self.stacks)):
            shutil.copyfile(self.directory / name, folder / name)
        (folder / "__main__.py").write_text(f"import runpy\n\nrunpy.run_path({str(program)!r})\n", encoding="utf-8")
        return replace(self, directory=folder)


@dataclass(frozen=True)
class Workspace:
    """The folder `root` of one rehearsal of `project`."""

    project: Project
    root: Path

    def prepare(self) -> None:
        """Make the folders and copy the settings. Raises FileNotFoundError when a stack has no file."""
        for folder in (self.backend, self.home, self._settings):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.project.directory / PROJECT_FILE, self._settings / PROJECT_FILE)
        for stack in self.project.stacks:
            shutil.copyfile(self.project.directory / f"Pulumi.{stack}.yaml", self.config_file(stack))

    def copy(self, name: str) -> Workspace:
        """Return a copy beside this workspace; no engine may be writing to it meanwhile."""
        root = self.root.with_name(f"{self.root.name}-{name}")
        shutil.copytree(self.backend, root / "backend")
        copied = Workspace(self.project, root)
        copied.prepare()
        return copied

    @property
    def backend(self) -> Path:
        """Where the stacks' states are."""
        return self.root / "backend"

    @property
    def home(self) -> Path:
        """The engine's home: the user's own is neither read nor written."""
        return self.root / "home"

    @property
    def _settings(self) -> Path:
        return self.root / "settings"

    def config_file(self, stack: str) -> Path:
        """Return the copy of the stack's settings."""
        return self._settings / f"Pulumi.{stack}.yaml"

    @property
    def created(self) -> frozenset[str]:
        """Return the names of the stacks that are in the backend."""
        return frozenset(path.name.split(".")[0] for path in self.backend.glob(".pulumi/stacks/*/*.json"))

    def recorded(self, stack: str) -> dict[str, Any] | None:
        """Return the state of `stack` from the backend's file, in the form of an export.

        None where there is none, or where it is not of that form: the engine tells why. Source of the form: pulumi
        3.259.0, pkg/backend/diy/backend.go, ExportDeployment, read 2026-11-27.
        """
        try:
            [path] = self.backend.glob(f".pulumi/stacks/*/{stack}.json")
            kept = json.loads(path.read_text(encoding="utf-8"))
            exported = {"version": kept["version"], "deployment": kept["checkpoint"]["latest"]}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        known = kept["version"] == CHECKPOINT_VERSION and isinstance(exported["deployment"], dict)
        return exported if known else None

    def unlock(self, stack: str) -> None:
        """Remove the locks of `stack` whose engines are gone: a killed one cannot; a running one keeps its own.

        Source of the form: pulumi 3.259.0, pkg/backend/diy/lock.go, read 2026-11-26.
        """
        for path in self.backend.glob(f".pulumi/locks/**/{stack}/*.json"):
            owner = Path(f"/proc/{json.loads(path.read_text(encoding='utf-8'))['pid']}/comm")
            if not owner.exists() or owner.read_text(encoding="utf-8").strip() != ENGINE_NAME:
                path.unlink()

    def folder_for_new(self, name: str, like: str) -> Path:
        """Return a project folder where the stack `name` can be created with the salt of the stack `like`."""
        folder = self.root / "new" / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._settings / PROJECT_FILE, folder / PROJECT_FILE)
        shutil.copyfile(self.config_file(like), folder / f"Pulumi.{name}.yaml")
        return folder

    def salt_of_new(self, name: str) -> str:
        """Return the salt of the passphrase with which the stack `name` was created."""
        file = self.root / "new" / name / f"Pulumi.{name}.yaml"
        return str(yaml.safe_load(file.read_text(encoding="utf-8"))["encryptionsalt"])

    def environment(self, toolchain: Toolchain, providers: Mapping[str, str]) -> dict[str, str]:
        """Return the engine's environment: today's without the user's Pulumi settings, `providers` on top."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        for_rehearsals = {
            "PATH": self.path(toolchain),
            "PULUMI_DEBUG_COMMANDS": "true",  # without it the engine knows no --event-log
            # The engine collects its garbage more rarely, by Go's own setting: a preview of 376 resources took
            # an eighth less of the processor (medians of three, 2026-11-27).
            "GOGC": os.environ.get("GOGC", "400"),
            HOST: os.environ.get(HOST, FORKED),
            # The state goes with the workspace: writing it once a run, with no backup, is enough.
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        }
        return kept | self.settings() | for_rehearsals | dict(providers)

    @staticmethod
    def path(toolchain: Toolchain) -> str:
        """Return PATH with this interpreter's folder first: the language host runs the program with it."""
        return toolchain.path(Path(sys.executable).parent)

    def settings(self) -> dict[str, str]:
        """Return what every engine run on this workspace has in its environment."""
        return {
            # Without sidecar files: an engine killed while it writes one leaves a state that none can load ("EOF").
            BACKEND: f"file://{self.backend}?metadata=skip",
            "PULUMI_HOME": str(self.home),
            "PULUMI_CONFIG_PASSPHRASE": self.project.passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Otherwise the engine looks on the network for every provider that a Python package names.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
