"""Nothing of a run reaches the next one, what was changed is seen, and a process ends with its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rehearsal.programs.given import STACK, Small, forking_processes_with, outputs

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("programs")]

LEAVES = """
import os, sys, builtins, json, pulumi
found = [hasattr(pulumi, "left"), "LEFT" in os.environ, "left" in sys.modules, hasattr(json, "left"), os.getcwd()]
pulumi.left = builtins.left = json.left = os.environ["LEFT"] = "left"
sys.modules["left"] = json
sys.path.append("/left")
os.chdir("/")
pulumi.export("found", found)
pulumi.export("path", [entry for entry in sys.path if entry != "/left"].count("/left") + sys.path.count("/left"))
pulumi.export("rehearsal", [name for name in sys.modules if name.startswith("rehearsal")])
"""
VALUE = "import pulumi, helper\npulumi.export('value', helper.VALUE)\n"
READS = "from pathlib import Path\nVALUE = Path(__file__).with_name('value.txt').read_text()\n"
SLEEPS = """
import os, pathlib, sys, time
pathlib.Path({file!r}).write_text(f"{{os.getpid()}} {{os.getppid()}}")
time.sleep(600)
"""
WAIT_SECONDS = 20.0


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "small")


def test_what_a_program_leaves_behind_is_not_there_in_the_next_run(small: Small) -> None:
    small.write(LEAVES)
    for _ in range(2):
        seen = outputs(small)
        assert seen["found"] == [False, False, False, False, str(small.folder)]
        assert (seen["path"], seen["rehearsal"]) == (1, [])


def test_a_changed_module_is_seen_by_the_next_run(small: Small) -> None:
    for value in ("one", "two"):
        small.write(VALUE, helper=f"VALUE = {value!r}\n")
        assert outputs(small)["value"] == value


def test_a_changed_module_that_was_imported_before_is_seen_by_the_next_run(small: Small) -> None:
    small = replace(small, preloaded=("helper",))
    small.write(VALUE, helper=READS)
    for value in ("one", "two"):
        (small.folder / "value.txt").write_text(value, encoding="utf-8")
        assert outputs(small)["value"] == value
    small.write(VALUE, helper="VALUE = 'three'\n")
    assert outputs(small)["value"] == "three"


def test_a_process_that_does_not_look_whether_files_changed_would_be_noticed(small: Small) -> None:
    small = replace(small, preloaded=("helper",))
    with forking_processes_with("forking.stamp_of = lambda file: None"):
        for value in ("one", "two"):
            small.write(VALUE, helper=f"VALUE = {value!r}\n")
            assert outputs(small)["value"] == "one"


def test_a_module_beside_the_program_hides_one_that_was_imported_before(small: Small) -> None:
    small = replace(small, preloaded=("pulumi_random",))
    small.write(
        "import pulumi, pulumi_random\npulumi.export('value', pulumi_random.VALUE)", pulumi_random="VALUE = 'mine'\n"
    )
    assert outputs(small)["value"] == "mine"


def test_python_draws_the_order_of_sets_anew_between_a_change_and_the_look_after_it(small: Small) -> None:
    small.write("import pulumi\npulumi.export('drawn', str(hash('order')))")
    changed, looked = outputs(small, "up")["drawn"], outputs(small, "preview")["drawn"]
    assert changed != looked
    assert outputs(small, "preview")["drawn"] == looked


def test_a_program_ends_with_its_engine(small: Small, tmp_path: Path) -> None:
    _gone(_of_a_killed_engine(small, tmp_path))


def test_a_program_that_nobody_ends_would_be_noticed(small: Small, tmp_path: Path) -> None:
    with forking_processes_with("forking.server.os.killpg = lambda *_: None"):
        pids = _of_a_killed_engine(small, tmp_path)
        time.sleep(1)
        assert all(map(_runs, pids))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        _gone(pids)


def _of_a_killed_engine(small: Small, folder: Path) -> list[int]:
    """Kill the engine while the program runs; return the program's process and the one that forked it."""
    file = folder / "pids"
    small.write(SLEEPS.format(file=str(file)))
    engine = replace(small.engine(), pid_file=folder / "engine")
    running = threading.Thread(target=lambda: engine.preview(STACK, STACK, lambda _: None))
    running.start()
    pids = _read(file)
    os.kill(int((folder / "engine").read_text(encoding="utf-8")), signal.SIGKILL)
    running.join()
    return pids


def test_all_processes_end_with_the_one_that_rehearses(small: Small, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    small.write(SLEEPS.format(file=str(file)))
    runner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from tests.rehearsal.programs.given import Small; "
            "Small(Path(sys.argv[1])).run()",
            str(small.folder),
        ],
        cwd=Path(__file__).parents[3],
    )
    pids = [*_read(file), *_children(runner.pid)]
    assert len(pids) >= 4, "the program, who forked it, the forking process and the engine"
    runner.kill()
    runner.wait()
    engines = [pid for pid in pids if _name(pid) == "pulumi"]
    for engine in engines:
        os.kill(engine, signal.SIGKILL)
    _gone(pids)


def _read(file: Path) -> list[int]:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (file.exists() and file.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, "the program did not start"
        time.sleep(0.05)
    return [int(pid) for pid in file.read_text(encoding="utf-8").split()]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def _name(pid: int) -> str:
    file = Path(f"/proc/{pid}/comm")
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _gone(pids: list[int]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while left := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    """Whether a process is there and is more than an entry that nobody has read yet."""
    file = Path(f"/proc/{pid}/stat")
    return file.exists() and file.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
