"""For which programs a forked process is the same as the language host: its Python must be the one that runs here."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HOST = "REHEARSAL_LANGUAGE_HOST"
"""The environment variable that says who runs programs: `pulumi`, its language host, or a `forked` process, if it can.

Rehearsals set it to `forked`, whatever else runs an engine leaves it to Pulumi."""
PULUMI, FORKED = "pulumi", "forked"
PYTHON_PATH = "PYTHONPATH"
_CHANGES_PYTHON = ("PYTHON", "PULUMI_PYTHON_CMD", "TRACEPARENT", "PULUMI_OTEL")
_KNOWN_OPTIONS = {"toolchain": (None, "pip"), "typechecker": (None, "none")}


def may_be_forked(environment: Mapping[str, str], project_file: Path) -> bool:
    """Whether a process forked here runs the project's program as the engine's language host would.

    It does not where the program is in another language, another Python or another toolchain runs it, or the
    engine's environment holds what changes how Python starts. Raises ValueError where `REHEARSAL_LANGUAGE_HOST` is
    unknown.
    """
    host = environment.get(HOST, PULUMI)
    if host not in (PULUMI, FORKED):
        raise ValueError(f"{HOST} is {host!r}, which nobody knows: write {PULUMI} or {FORKED}")
    return (
        host == FORKED
        and sys.platform == "linux"
        and python_settings(environment) == python_settings(os.environ)
        and _is_ours(shutil.which("python3", path=environment.get("PATH")))
        and _runs_here(project_file)
    )


def folders(project_file: Path) -> list[str]:
    """Return the folders from which the program imports its own modules."""
    root = project_file.parent
    main = root / (_read(project_file).get("main") or ".")
    return list(dict.fromkeys(str(folder.resolve()) for folder in (root, main if main.is_dir() else main.parent)))


def python_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment changes how Python starts, without the path on which it finds modules."""
    return {k: v for k, v in environment.items() if k.startswith(_CHANGES_PYTHON) and k != PYTHON_PATH}


def _runs_here(project_file: Path) -> bool:
    runtime = _read(project_file).get("runtime")
    if runtime == "python":
        return True
    if not isinstance(runtime, Mapping) or runtime.get("name") != "python":
        return False
    options = runtime.get("options") or {}
    virtualenv = options.get("virtualenv")
    if virtualenv and not _is_ours(str(project_file.parent / virtualenv / "bin" / "python")):
        return False
    others = {key: value for key, value in options.items() if key != "virtualenv"}
    return all(value in _KNOWN_OPTIONS.get(key, ()) for key, value in others.items())


def _is_ours(python: str | None) -> bool:
    """Whether an interpreter is the one that runs here, in the same environment of packages."""
    if python is None:
        return False
    path = Path(python)
    same = path.exists() and path.samefile(sys.executable)
    return same and path.parent.resolve() == Path(sys.executable).parent.resolve()


def _read(project_file: Path) -> dict[str, Any]:
    """Return a project's file; nothing where it cannot be read, which the engine then tells."""
    try:
        content = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
