"""The corpus of stage files: what each says, and what it must get.

A file lays `set` over a shipped stage (`base`) and takes `remove` (paths with dots) away. An `error.*` file lists under
`expect` every fault that must be found, word for word; a `happy.*` file must be planned.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config import StageConfig, merge, parse_stage, stage_file
from dreamseed.config.load import PROJECT_FILE, SHARED_KEY, STAGE_KEY
from dreamseed.errors import ConfigErrors, DreamSeedError
from dreamseed.planning.planner import plan_stage

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
KEYS = ("where", "what", "why", "remedy")

Fault = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One file of the corpus."""

    path: Path
    base: str
    set: Mapping[str, Any]
    remove: tuple[str, ...]
    expect: tuple[Fault, ...]


@functools.cache
def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def overlay(base: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What all stages share, and what the shipped stage `base` lays over it."""
    shared = _yaml(ROOT / PROJECT_FILE)["config"][SHARED_KEY]["value"]
    return shared, _yaml(stage_file(ROOT, base))["config"][STAGE_KEY]


def read(path: Path) -> Case:
    """The case that the file `path` describes."""
    content = _yaml(path)
    known = {"base", "set", "remove", "expect"}
    assert set(content) <= known, f"{path.name}: unknown keys {set(content) - known}"
    return Case(
        path=path,
        base=content["base"],
        set=content.get("set", {}),
        remove=tuple(content.get("remove", ())),
        expect=tuple(content.get("expect", ())),
    )


def document(case: Case) -> dict[str, Any]:
    """The whole stage that the case describes, before it is read."""
    whole = merge(merge(*overlay(case.base)), case.set)
    for path in case.remove:
        _take_away(whole, path.split("."))
    return whole


def _take_away(section: dict[str, Any], path: list[str]) -> None:
    if len(path) == 1:
        del section[path[0]]
        return
    section[path[0]] = dict(section[path[0]])
    _take_away(section[path[0]], path[1:])


def parse(case: Case) -> StageConfig:
    """The case's stage; raises `ConfigErrors`."""
    return parse_stage(document(case), {}, case.base)


def faults(case: Case) -> list[Fault]:
    """What reading and planning the case's stage find wrong with it."""
    try:
        plan_stage(parse(case), case.base)
    except ConfigErrors as error:
        return [_fault(each) for each in error.errors]
    except DreamSeedError as error:
        return [_fault(error)]
    return []


def _fault(error: DreamSeedError) -> Fault:
    return {key: getattr(error, key) for key in KEYS}


def shown(found: list[Fault]) -> str:
    """The faults as the `expect` of a file, to paste after reading them."""
    return yaml.safe_dump({"expect": found}, allow_unicode=True, sort_keys=False, width=1_000)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"# {name}\n{shown(faults(read(Path(name))))}")
