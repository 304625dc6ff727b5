from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from rehearsal.runner import Project, Workspace
from rehearsal.runner import engine as module
from rehearsal.runner.engine import Engine, Interruption, Run
from rehearsal.toolchain import Toolchain
from tests.rehearsal.runner.test_events import VOLUME, step

# Stands for the engine: writes one change after the other to its event log, and ends by itself after the last.
ENGINE = """#!{python}
import sys, time
print(*sys.argv)
log = open(sys.argv[sys.argv.index("--event-log") + 1], "a")
for line in {lines!r}:
    log.write(line + "\\n")
    log.flush()
    time.sleep(0.3)
"""


def run(tmp_path: Path, interruption: Interruption | None, lines: Sequence[str] = ()) -> Run:
    lines = [*lines] or [step("create", f"{VOLUME}{number}", parent=None) for number in range(4)]
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(ENGINE.format(python=sys.executable, lines=lines), encoding="utf-8")
    pulumi.chmod(stat.S_IRWXU)
    project = Project(directory=tmp_path, stacks=("stage-a",), passphrase="")
    engine = Engine(Toolchain(pulumi, tmp_path, ""), Workspace(project, tmp_path), {})
    return engine.up("local", "stage-a", lambda _: None, interruption=interruption)


def test_an_engine_is_killed_once_it_has_begun_so_many_changes(tmp_path: Path) -> None:
    killed = run(tmp_path, Interruption(after_changes=2))
    assert killed.interrupted
    assert not killed.succeeded
    assert 2 <= killed.events.changing < 4
    assert killed.errors == (f"the engine was killed after it had begun to change {killed.events.changing} resources",)


BUCKET = VOLUME.replace("docker:index/volume:Volume", "gcp:storage/bucket:Bucket")


def test_an_engine_is_not_killed_while_it_creates_what_it_could_not_create_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDED_SECONDS", 0.1)
    begun = step("create", BUCKET, parent=None)
    ended = begun.replace("resourcePreEvent", "resOutputsEvent")
    lines = [begun, step("create", VOLUME, parent=None), ended, *[step("same", f"{VOLUME}{n}") for n in range(9)]]
    killed = run(tmp_path, Interruption(after_changes=1, spared=("gcp:",)), lines)
    assert killed.interrupted
    assert killed.events.changing == 2
    never = [begun, *[step("same", f"{VOLUME}{number}") for number in range(3)]]
    assert run(tmp_path, Interruption(after_changes=1), never).interrupted
    assert not run(tmp_path, Interruption(after_changes=1, spared=("gcp:",)), never).interrupted


def test_something_else_may_be_done_to_an_engine_that_then_goes_on(tmp_path: Path) -> None:
    struck: list[str] = []
    ended = run(tmp_path, Interruption(after_changes=2, strike=lambda: struck.append("once")))
    assert struck == ["once"]
    assert ended.interrupted
    assert ended.succeeded
    assert ended.events.changing == 4


def test_an_engine_changes_as_many_resources_at_once_as_it_likes_unless_it_is_told(tmp_path: Path) -> None:
    assert "--parallel" not in run(tmp_path, Interruption(after_changes=9)).output
    assert " --parallel 2 " in run(tmp_path, Interruption(after_changes=9, at_once=2)).output


@pytest.mark.parametrize("interruption", [None, Interruption(after_changes=5)])
def test_an_engine_that_ends_before_is_left_alone(tmp_path: Path, interruption: Interruption | None) -> None:
    ended = run(tmp_path, interruption)
    assert ended.succeeded
    assert not ended.interrupted
    assert ended.events.changing == 4


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    folder = tmp_path / "backend" / ".pulumi" / "locks" / "organization" / "project" / "local"
    folder.mkdir(parents=True)
    return folder / "one.json"


def test_the_lock_of_an_engine_that_is_gone_is_removed(tmp_path: Path, lock: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    lock.write_text(json.dumps({"pid": gone.pid}), encoding="utf-8")
    assert run(tmp_path, None).succeeded
    assert not lock.exists()


def test_the_lock_of_an_engine_that_runs_stays(tmp_path: Path, lock: Path) -> None:
    pulumi = tmp_path / "running" / "pulumi"
    pulumi.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "", pulumi)
    with subprocess.Popen([str(pulumi), "60"]) as running:
        try:
            # The kernel gives the name a moment after the start.
            while Path(f"/proc/{running.pid}/comm").read_text(encoding="utf-8").strip() != "pulumi":
                time.sleep(0.01)
            lock.write_text(json.dumps({"pid": running.pid}), encoding="utf-8")
            run(tmp_path, None)
            assert lock.exists()
        finally:
            running.kill()
