"""Reading stage files from a project folder, without Pulumi."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config.stage import StageConfig, merge, parse_stage
from dreamseed.errors import ConfigError

PROJECT_FILE = "Pulumi.yaml"
STAGE_NAMES = ("stage-a", "stage-b", "stage-c", "stage-d", "stage-e")
SHARED_KEY = "dreamseed:shared"
STAGE_KEY = "dreamseed:stage"


def stage_file(project: Path, name: str) -> Path:
    """Return the path of stage `name`'s file in the folder `project`."""
    return project / f"Pulumi.{name}.yaml"


def find_project(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds the project file; raises `ConfigError`."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise ConfigError(
        str(start),
        f"there is no {PROJECT_FILE} here or above",
        "what all stages share stands in it",
        "the command in the project's folder, or --project FOLDER",
    )


def load_stage(path: Path, project: Path | None = None) -> StageConfig:
    """Return the stage of the file `path`, over what all share in `project` (default: found from `path`).

    Raises `ConfigError` when a file is absent or no YAML, `ConfigErrors` when it says what no stage may say.
    """
    return parse_stage({}, stage_document(path, project), path.stem.removeprefix("Pulumi."))


def stage_document(path: Path, project: Path | None = None) -> dict[str, Any]:
    """Return what the file `path` says over what all share, before it is checked; raises `ConfigError`."""
    folder = project or find_project(path.parent)
    return merged_document(_text(folder / PROJECT_FILE), _text(path), path.name)


def merged_document(shared: str, stage: str, name: str) -> dict[str, Any]:
    """Return what the text of a stage file says over the text of the project file; `name` stands in errors."""
    return merge(
        _value(_parsed(shared, PROJECT_FILE), SHARED_KEY, PROJECT_FILE), _value(_parsed(stage, name), STAGE_KEY, name)
    )


class _UniqueKeyLoader(yaml.CSafeLoader):
    """YAML in which no key stands twice; plain YAML would let the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                fault = f"the key '{key.value}' stands twice"
                raise yaml.constructor.ConstructorError(None, None, fault, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            str(path.name), "there is no such file", "it is read to make the plan", "the path of a stage file"
        ) from error


def _parsed(text: str, name: str) -> Mapping[str, Any]:
    try:
        content = yaml.load(text, _UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{name}{line}",
            f"is not YAML ({getattr(error, 'problem', error)})",
            "stage files are YAML",
            "a file like the shipped Pulumi.stage-a.yaml",
        ) from error
    if not isinstance(content, Mapping):
        raise ConfigError(
            name,
            "holds no mapping",
            "a stack's file begins with 'config:'",
            "a file like Pulumi.stage-a.yaml",
        )
    return content


def _value(content: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    config = content.get("config")
    entry = config.get(key) if isinstance(config, Mapping) else None
    if name == PROJECT_FILE and isinstance(entry, Mapping):
        entry = entry.get("value")
    if not isinstance(entry, Mapping):
        raise ConfigError(
            f"{name} › config › {key}",
            "is missing",
            "the stage is one structured value of the stack's configuration",
            f"config: {{{key}: {{service: …, servers: …, vllm: …}}}}",
        )
    return entry
