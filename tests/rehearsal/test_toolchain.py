from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.toolchain import ToolchainError, cache, engine, ensure_engine, golang, pins

PINNED = tuple(map(int, pins.ENGINE_VERSION.split(".")))


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def program(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def engine_saying(folder: Path, version: str) -> Path:
    program(folder / "pulumi-language-python", "exit 0")
    return program(folder / "pulumi", f"echo v{version}")


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder: no pulumi, no go."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def fake_build(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the Go build by one that writes an engine in no time; returns the packages that were built."""
    built: list[str] = []

    def build(go: Path, module: Path, package: str, flags: dict[str, str], to: Path, tell: object) -> None:
        built.append(package)
        program(to, f"echo {next(iter(flags.values()))}")

    def module_folder(go: Path, module: Path, required: str) -> Path:
        return module.parent

    monkeypatch.setattr(golang, "find_go", lambda: Path("go"))
    monkeypatch.setattr(golang, "build", build)
    monkeypatch.setattr(golang, "module_folder", module_folder)
    monkeypatch.setattr(pins, "LANGUAGE_EXEC_PATH", "engine/go.mod")
    return built


@pytest.mark.parametrize("newer", [(0, 0, 0), (0, 1, 0), (1, 0, 0)])
def test_a_pulumi_on_path_of_at_least_the_pinned_version_is_used(
    newer: tuple[int, int, int], empty_path: Path, tmp_path: Path
) -> None:
    version = ".".join(str(a + b) for a, b in zip(PINNED, newer, strict=True))
    engine_saying(empty_path, version)
    found = ensure_engine(quiet(), tmp_path / "cache")
    assert (found.bin_dir, found.version) == (empty_path, version)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("why", ["older", "no language host", "broken"])
def test_a_pulumi_on_path_that_cannot_run_the_program_is_passed_over(
    why: str, empty_path: Path, tmp_path: Path, fake_build: list[str]
) -> None:
    pulumi = engine_saying(empty_path, "3.1.0" if why == "older" else "99.0.0")
    if why == "no language host":
        (empty_path / "pulumi-language-python").unlink()
    if why == "broken":
        program(pulumi, "exit 1")
    found = ensure_engine(quiet(), tmp_path / "cache")
    assert found.bin_dir.is_relative_to(tmp_path / "cache")
    assert fake_build == [pins.ENGINE_PACKAGE, pins.LANGUAGE_HOST_PACKAGE]


def test_an_engine_is_built_once_and_found_in_the_cache_afterwards(
    empty_path: Path, tmp_path: Path, fake_build: list[str]
) -> None:
    first = ensure_engine(quiet(), tmp_path)
    assert ensure_engine(quiet(), tmp_path) == first
    assert len(fake_build) == 2
    names = {path.name for path in first.bin_dir.iterdir()}
    assert {"pulumi", "pulumi-language-python"} <= names
    assert {"pulumi-analyzer-policy-python", "pulumi-resource-pulumi-python"} <= names


@pytest.mark.parametrize("damage", ["file lost", "file cut off", "manifest lost", "does not run"])
def test_a_damaged_cache_is_built_again(damage: str, empty_path: Path, tmp_path: Path, fake_build: list[str]) -> None:
    toolchain = ensure_engine(quiet(), tmp_path)
    folder = toolchain.bin_dir.parent
    if damage == "file lost":
        (toolchain.bin_dir / "pulumi-language-python").unlink()
    elif damage == "file cut off":
        toolchain.pulumi.write_bytes(toolchain.pulumi.read_bytes()[:-3])
    elif damage == "manifest lost":
        (folder / cache.MANIFEST).unlink()
    else:  # the same size, other content
        toolchain.pulumi.write_bytes(b"?" * toolchain.pulumi.stat().st_size)
    assert engine.find_engine(tmp_path) is None
    assert ensure_engine(quiet(), tmp_path) == toolchain
    assert len(fake_build) == 4


def test_a_build_that_fails_leaves_nothing_in_the_cache(
    empty_path: Path, tmp_path: Path, fake_build: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ToolchainError("building failed (1):\nno space left", "free some space")

    monkeypatch.setattr(golang, "build", breaks)
    with pytest.raises(ToolchainError, match="no space left\n  what to do: free some space"):
        ensure_engine(quiet(), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["bin"]


def test_two_builds_at_once_make_one(empty_path: Path, tmp_path: Path, fake_build: list[str]) -> None:
    consoles = [quiet(), quiet()]
    threads = [threading.Thread(target=ensure_engine, args=(console, tmp_path)) for console in consoles]
    with cache.locked(tmp_path / "engine.lock", lambda: None):
        for thread in threads:
            thread.start()
        while not all("waiting for it" in told(console) for console in consoles):
            pass
    for thread in threads:
        thread.join()
    assert len(fake_build) == 2


def told(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_progress_off_a_terminal_is_plain_lines(empty_path: Path, tmp_path: Path, fake_build: list[str]) -> None:
    console = quiet()
    ensure_engine(console, tmp_path)
    assert re.search(r"Building the Pulumi engine .*: done in \d+ s\n", told(console))
    assert "\x1b" not in told(console)


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("go version go1.25.11 linux/amd64", True),
        ("go version go1.27 linux/amd64", True),
        ("go version go1.25.10 linux/amd64", False),
        ("go version go1.19.8 linux/arm64", False),
        ("not go", False),
    ],
)
def test_only_a_go_that_can_build_the_engine_is_taken(said: str, taken: bool, empty_path: Path) -> None:
    program(empty_path / "go", f"echo {said}")
    assert (golang.find_go() is not None) is taken


def test_what_go_says_last_is_in_the_error(tmp_path: Path) -> None:
    go = program(tmp_path / "go", "echo first", "echo 'verifying module: checksum mismatch'", "exit 1")
    with pytest.raises(ToolchainError, match="checksum mismatch"):
        golang.build(go, tmp_path, "example.com/x", {}, tmp_path / "x", lambda _: None)


def test_settings_for_other_go_projects_do_not_reach_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOOS", "plan9")
    go = program(tmp_path / "go", "/usr/bin/env", 'test -z "$GOOS"')
    lines: list[str] = []
    golang.build(go, tmp_path, "example.com/x", {}, tmp_path / "x", lines.append)
    assert "GOFLAGS=-mod=readonly -trimpath -buildvcs=false" in lines
    assert "GOTOOLCHAIN=local" in lines


def test_the_pins_are_the_versions_in_the_go_modules() -> None:
    engine_module = (engine.MODULES / "engine" / "go.mod").read_text(encoding="utf-8")
    language_module = (engine.MODULES / "language" / "go.mod").read_text(encoding="utf-8")
    for module in ("pkg", "sdk"):
        assert re.search(rf"pulumi/{module}/v3 v{pins.ENGINE_VERSION}\b", engine_module)
    assert f"pulumi/sdk/v3 v{pins.LANGUAGE_HOST_VERSION} " in language_module
    assert f"\ngo {'.'.join(map(str, pins.OLDEST_GO))}\n" in engine_module


def test_a_pin_that_changes_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine._folder(tmp_path)
    script = tmp_path / "scripts" / "one"
    script.parent.mkdir()
    script.write_text("changed", encoding="utf-8")
    monkeypatch.setattr(engine, "SCRIPTS", script.parent)
    assert engine._folder(tmp_path) != before


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_root() == tmp_path / "dreamseed"


def test_a_folder_is_put_in_place_whole_or_not_at_all(tmp_path: Path) -> None:
    def half(made: Path) -> None:
        whole(made)
        raise RuntimeError("cut off")

    def whole(made: Path) -> None:
        (made / "a").write_text("abc", encoding="utf-8")

    with pytest.raises(RuntimeError):
        cache.put(tmp_path / "x", half)
    assert list(tmp_path.iterdir()) == []
    cache.put(tmp_path / "x", whole)
    assert json.loads((tmp_path / "x" / cache.MANIFEST).read_text(encoding="utf-8")) == {"a": 3}


@pytest.mark.engine
def test_the_command_prints_the_folder_of_an_engine_that_runs() -> None:
    command = [sys.executable, "-m", "rehearsal.toolchain"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    version = subprocess.run(
        [Path(run.stdout.strip()) / "pulumi", "version"], capture_output=True, text=True, check=True
    )
    assert tuple(map(int, version.stdout.strip().lstrip("v").split("."))) >= PINNED
