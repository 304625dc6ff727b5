"""The filter's program, with an nft that keeps its table in a file."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "images" / "packet-filter" / "packet-filter"
NFT = """#!/bin/sh
case $1 in
  --file) grep -q refused "$2" && { echo "syntax error" >&2; exit 1; }; cp "$2" "$KERNEL" ;;
  *) cat "$KERNEL" ;;
esac
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "nft").write_text(NFT)
    (tmp_path / "nft").chmod(0o755)
    (tmp_path / "rules").write_text("allowed\n")
    return tmp_path


def called(world: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = environment_of(world)
    return subprocess.run(["/bin/sh", PROGRAM, *words], env=environment, capture_output=True, text=True, check=False)


def environment_of(world: Path) -> dict[str, str]:
    path = f"{world}:{os.environ['PATH']}"
    own = {"KERNEL": str(world / "kernel"), "RUNTIME_DIRECTORY": str(world), "LOOK_SECONDS": "0.05"}
    return {"PATH": path, **own}


@contextmanager
def kept(world: Path) -> Iterator[None]:
    words = ["/bin/sh", str(PROGRAM), "keep", "dreamseed", str(world / "rules")]
    with subprocess.Popen(words, env=environment_of(world), stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: (world / "kernel").exists() and called(world, "check", "dreamseed").returncode == 0)
            yield
        finally:
            process.terminate()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_rules_are_loaded_and_stay_when_the_program_ends(world: Path) -> None:
    with kept(world):
        assert (world / "kernel").read_text() == "allowed\n"
    assert (world / "kernel").read_text() == "allowed\n"
    assert called(world, "check", "dreamseed").returncode == 0


@pytest.mark.parametrize("change", [lambda table: table.write_text("accept all\n"), Path.unlink])
def test_what_somebody_changed_is_loaded_again(world: Path, change: Callable[[Path], object]) -> None:
    with kept(world):
        change(world / "kernel")
        until(lambda: (world / "kernel").exists() and (world / "kernel").read_text() == "allowed\n")


def test_a_table_that_is_not_what_was_loaded_is_told(world: Path) -> None:
    assert called(world, "check", "dreamseed").returncode != 0  # nothing was loaded
    with kept(world):
        pass
    (world / "kernel").write_text("accept all\n")
    assert called(world, "check", "dreamseed").returncode != 0


def test_rules_that_nft_refuses_leave_the_table_and_end_the_program_with_its_words(world: Path) -> None:
    (world / "kernel").write_text("before\n")
    (world / "rules").write_text("refused\n")
    ended = called(world, "keep", "dreamseed", str(world / "rules"))
    assert ended.returncode != 0
    assert "syntax error" in ended.stderr
    assert (world / "kernel").read_text() == "before\n"
    assert called(world, "check", "dreamseed").returncode != 0


def test_anything_else_is_told_what_to_write() -> None:
    ended = subprocess.run(["/bin/sh", PROGRAM, "stop"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "packet-filter: write keep TABLE FILE or check TABLE\n")
