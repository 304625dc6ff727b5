"""Copies of the engine's state: an export, or a file of its backend (an earlier version, a `.bak`, one of the history).

Source of the forms: pulumi 3.259.0, sdk/go/common/apitype (DeploymentV3, CheckpointV3), read 2026-11-27.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError

VERSION = 3


class CopyError(DreamSeedError):
    """A file that is no copy of a state that can be used."""


@dataclass(frozen=True)
class Copy:
    """A copy of a stack's state, as the engine exports it; `written` is when the engine wrote it."""

    state: dict[str, Any]

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        """Return its resources."""
        return list(self.state["deployment"].get("resources") or [])

    @property
    def written(self) -> str:
        """Return when the engine wrote it, as it says."""
        return str(self.state["deployment"].get("manifest", {}).get("time", "nobody knows when"))

    @property
    def ids(self) -> dict[str, str]:
        """Return the ids by URN; they are no secrets, whatever became of the passphrase."""
        return {resource["urn"]: resource["id"] for resource in self.resources if resource.get("id")}


def read_copy(path: Path, stack: str) -> Copy:
    """Return the copy in a file; raises `CopyError` when it is none of `stack`, is cut off or holds nothing."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise _refused(path, f"is no whole JSON ({error})", "it was cut off or damaged while it was written") from error
    deployment = None
    if isinstance(document, dict) and document.get("version") == VERSION:
        deployment = document.get("deployment") or (document.get("checkpoint") or {}).get("latest")
    if not isinstance(deployment, dict):
        raise _refused(path, "is no state", f"a state has version {VERSION} and a deployment or a checkpoint")
    copy = Copy({"version": VERSION, "deployment": deployment})
    if not copy.resources:
        raise _refused(path, "holds no resource", "a state of nothing brings nothing back")
    wrong = next((r["urn"] for r in copy.resources if not r["urn"].startswith(f"urn:pulumi:{stack}::")), None)
    if wrong:
        raise _refused(path, f"is of another stack ({wrong})", f"{stack} is to be restored")
    return copy


def _refused(path: Path, what: str, why: str) -> CopyError:
    return CopyError(
        str(path), what, why, "an earlier version of the state's file, its .bak, one of its history, or an export"
    )
