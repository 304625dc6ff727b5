from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from rehearsal.runner import Project, Workspace
from rehearsal.runner.engine import Engine, Run
from rehearsal.toolchain import Toolchain
from tests.rehearsal.runner.test_events import VOLUME, step

# Stands for the engine: writes one change after the other to its event log, and ends by itself after the last.
ENGINE = """#!{python}
import sys, time
log = open(sys.argv[sys.argv.index("--event-log") + 1], "a")
for line in {lines!r}:
    log.write(line + "\\n")
    log.flush()
    time.sleep(0.3)
"""


def run(tmp_path: Path, killed_after: int | None) -> Run:
    lines = [step("create", f"{VOLUME}{number}", parent=None) for number in range(4)]
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(ENGINE.format(python=sys.executable, lines=lines), encoding="utf-8")
    pulumi.chmod(stat.S_IRWXU)
    project = Project(directory=tmp_path, stacks=("stage-a",), passphrase="")
    engine = Engine(Toolchain(pulumi, tmp_path, ""), Workspace(project, tmp_path), {})
    return engine.up("local", "stage-a", lambda _: None, killed_after=killed_after)


def test_an_engine_is_killed_once_it_has_begun_so_many_changes(tmp_path: Path) -> None:
    killed = run(tmp_path, killed_after=2)
    assert not killed.succeeded
    assert 2 <= killed.events.changing < 4
    assert killed.errors == (f"the engine was killed after it had begun to change {killed.events.changing} resources",)


@pytest.mark.parametrize("killed_after", [None, 5])
def test_an_engine_that_ends_before_is_left_alone(tmp_path: Path, killed_after: int | None) -> None:
    ended = run(tmp_path, killed_after)
    assert ended.succeeded
    assert ended.events.changing == 4
