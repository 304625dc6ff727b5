"""The least number of tests in a full run, by folder: "green" must not mean that nothing was tested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

EXPECTED = Path(__file__).with_name("expected_count.json")
RECORD_VARIABLE = "RECORD_TEST_COUNT"
REMEDY = f"if tests were removed on purpose, record the new numbers: {RECORD_VARIABLE}=1 make unit"


def is_full_run(config: pytest.Config) -> bool:
    """Tell whether this process runs every test: none chosen, none only listed, and no worker of another."""
    if hasattr(config, "workerinput"):
        return False
    chosen = any(config.getoption(name, None) for name in ("keyword", "markexpr", "collectonly", "lf"))
    everywhere = {str(argument).rstrip("/") for argument in config.args} <= {"tests", str(EXPECTED.parent)}
    return everywhere and not chosen


def folder_of(nodeid: str) -> str:
    """Return the folder of a test's file: ``tests/planning/gpu``."""
    return Path(nodeid.split("::", 1)[0]).parent.as_posix()


def recorded() -> dict[str, int]:
    """Return the recorded numbers by folder."""
    numbers: dict[str, int] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return numbers


def record(ran: Mapping[str, int]) -> None:
    """Write the numbers of this run as those that later runs must reach."""
    EXPECTED.write_text(json.dumps(dict(sorted(ran.items())), indent=2) + "\n", encoding="utf-8")


def missing(ran: Mapping[str, int], excused: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Return a line for each folder in which fewer tests ran than expected, and at the end what to do.

    `excused` are tests that were skipped because this machine cannot run them, each with its reason.
    """
    fewer = [
        f"{folder}: {ran.get(folder, 0)} tests ran, {number} did when the number was recorded"
        for folder, number in sorted(expected.items())
        if ran.get(folder, 0) + excused.get(folder, 0) < number
    ]
    return [*fewer, REMEDY] if fewer else []
