"""The program that is rehearsed: a Pulumi project's folder or a Python function, and the settings of its stacks."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.runner.workspace import PROJECT_FILE

TABLES = "tables"
"""Where a project keeps its tables when nobody says otherwise, below its folder."""
SALT = "encryptionsalt"

Given = Path | str | Callable[[], object]

_STARTER = '''\
"""Runs one function of another file as the whole program."""

import importlib.util
import sys

sys.path.insert(0, {folder!r})
sys.path += [place for place in {search!r} if place not in sys.path]
spec = importlib.util.spec_from_file_location("rehearsed_program", {file!r})
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
module.{function}()
'''


class ProgramError(ValueError):
    """What was given cannot be rehearsed: what is wrong, where, and what to write instead."""


@dataclass(frozen=True)
class Program:
    """A Pulumi project: where its `Pulumi.yaml` is, its name, and the folder of its tables, if it has any."""

    directory: Path
    name: str
    tables: Path | None

    @classmethod
    def of(cls, given: Given, scratch: Path) -> Program:
        """Return the project in a folder, or one that runs a function, made in `scratch`.

        The function is one of a module, not of another function: the engine runs it in a process of its own, which
        imports the file, and finds what this process finds. Raises `ProgramError`.
        """
        if callable(given):
            return cls._of_function(given, scratch)
        directory = Path(given).resolve()
        file = directory / PROJECT_FILE
        if not file.is_file():
            raise ProgramError(f"{directory} holds no {PROJECT_FILE}: name a Pulumi project's folder, or a function")
        name = _read(file).get("name")
        if not isinstance(name, str) or not name:
            raise ProgramError(f"{file} › name is missing: add the project's name, for example `name: shop`")
        return cls(directory, name, _tables_below(directory))

    @classmethod
    def _of_function(cls, function: Callable[[], object], scratch: Path) -> Program:
        name, file = getattr(function, "__qualname__", repr(function)), inspect.getsourcefile(function)
        if "." in name or not name.isidentifier() or file is None:
            raise ProgramError(
                f"{name} is no function of a module: the engine imports it in a process of its own, so write it at the "
                "top level of a file"
            )
        home = Path(file).resolve()
        project = name.replace("_", "-")
        scratch.mkdir(parents=True, exist_ok=True)
        (scratch / PROJECT_FILE).write_text(f"name: {project}\nruntime: python\n", encoding="utf-8")
        starter = _STARTER.format(folder=str(home.parent), file=str(home), function=name, search=sys.path)
        (scratch / "__main__.py").write_text(starter, encoding="utf-8")
        return cls(scratch, project, _tables_below(home.parent))

    def settings(self, stack: str | None, config: Mapping[str, Any], salt: str) -> dict[str, Any]:
        """Return the content of a stack's settings: the project's file for `stack`, if named, and `config` over it.

        Keys of `config` without a namespace are the project's own. `salt` is used where the file has none. Raises
        `ProgramError` when the stack has no file.
        """
        settings: dict[str, Any] = {}
        if stack is not None:
            file = self.directory / f"Pulumi.{stack}.yaml"
            if not file.is_file():
                there = sorted(path.name.split(".")[1] for path in self.directory.glob("Pulumi.*.yaml"))
                known = f"there are {', '.join(there)}" if there else "there are none; give `config` instead"
                raise ProgramError(f"{file} does not exist, so there are no settings of the stack {stack}: {known}")
            settings = _read(file)
        own = {key if ":" in key else f"{self.name}:{key}": value for key, value in config.items()}
        settings["config"] = {**(settings.get("config") or {}), **own}
        if salt:
            settings.setdefault(SALT, salt)
        return settings


def _tables_below(directory: Path) -> Path | None:
    return directory / TABLES if (directory / TABLES).is_dir() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ProgramError(f"{file} is no YAML: {error}") from None
    if not isinstance(content, dict):
        raise ProgramError(f"{file} is a YAML {type(content).__name__}: write keys and values")
    return content
