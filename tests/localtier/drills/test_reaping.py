"""The first process of a drill's namespaces, in a process of its own that adopts orphans as such a first one does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
ADOPT = "import ctypes; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)"
"""PR_SET_CHILD_SUBREAPER: orphans below become children of this process. Source: prctl(2)."""
# An orphan dies; the work is over when its number answers no more, and never where nobody waits for it.
WORK = """
import os, subprocess, sys, time
from pathlib import Path
from localtier.drills.reaping import reaping

def work():
    number = subprocess.run(["/bin/sh", "-c", "(exec sleep 0) & echo $!"], capture_output=True, text=True).stdout
    while Path(f"/proc/{number.strip()}").exists():
        time.sleep(0.01)
    print("gone", flush=True)
    return 7
"""

ZOMBIE = """
child = subprocess.Popen(["/bin/sh", "-c", "(exec sleep 0) & echo $!"], stdout=subprocess.PIPE, text=True)
number = child.communicate()[0].strip()
while "\\nState:\\tZ" not in Path(f"/proc/{number}/status").read_text():
    time.sleep(0.01)
print("still there")
"""


def run(last: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"{ADOPT}\n{WORK}\n{last}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, timeout=60)


def test_an_orphan_that_died_is_waited_for_and_the_works_status_is_returned() -> None:
    done = run("sys.exit(reaping(work))")
    assert (done.returncode, done.stdout) == (7, "gone\n"), done.stderr


def test_without_it_the_orphan_stays_a_zombie_whose_number_answers() -> None:
    done = run(ZOMBIE)
    assert (done.returncode, done.stdout) == (0, "still there\n"), done.stderr


def test_work_that_raises_ends_with_its_words_and_a_status() -> None:
    done = run("sys.exit(reaping(lambda: 1 // 0))")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_is_that_of_the_work(status: int) -> None:
    assert run(f"sys.exit(reaping(lambda: {status}))").returncode == status
