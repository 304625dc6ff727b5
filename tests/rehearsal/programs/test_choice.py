"""When a forked process runs a program, and when Pulumi's language host does."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from rehearsal.programs import pool
from rehearsal.programs.choice import FORKED, HOST, PULUMI, folders, may_be_forked
from rehearsal.programs.running import search_path

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
BIN = {"PATH": PATH, HOST: FORKED, **{name: value for name, value in os.environ.items() if name.startswith("PYTHON")}}
OURS = str(Path(sys.prefix))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return written(tmp_path, "runtime: python\n")


def written(folder: Path, text: str) -> Path:
    file = folder / "Pulumi.yaml"
    file.write_text(f"name: x\n{text}", encoding="utf-8")
    (folder / pool.SCRIPT).write_text("", encoding="utf-8")
    return file


def options(**given: str) -> str:
    return "runtime:\n  name: python\n  options: {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


@pytest.mark.parametrize(
    "text",
    ["runtime: python\n", "runtime: {name: python}\n", options(toolchain="pip"), options(virtualenv=OURS)],
)
def test_a_program_in_the_python_that_runs_here_may_be_forked(tmp_path: Path, text: str) -> None:
    assert may_be_forked(BIN, written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "runtime: nodejs\n",
        "runtime: {name: go}\n",
        "",
        ": no YAML [",
        options(toolchain="uv"),
        options(typechecker="mypy"),
        options(virtualenv="elsewhere"),
        options(toolchain="pip", unheard_of="x"),
    ],
)
def test_another_language_toolchain_or_environment_is_left_to_the_language_host(tmp_path: Path, text: str) -> None:
    assert not may_be_forked(BIN, written(tmp_path, text))


@pytest.mark.parametrize(
    "changed",
    [
        {"PYTHONHASHSEED": "7"},
        {"PYTHONOPTIMIZE": "2"},
        {"PULUMI_PYTHON_CMD": "python3.9"},
        {"TRACEPARENT": "00-1-1-01"},
        {"PATH": "/nowhere"},
        {HOST: PULUMI},
    ],
)
def test_what_changes_how_python_starts_is_left_to_the_language_host(project: Path, changed: Mapping[str, str]) -> None:
    assert not may_be_forked({**BIN, **changed}, project)
    assert may_be_forked({**BIN, "PYTHONPATH": "/mine"}, project)


def test_a_run_that_nobody_asked_to_be_forked_is_left_to_the_language_host(project: Path) -> None:
    assert not may_be_forked({name: value for name, value in BIN.items() if name != HOST}, project)


def test_an_unknown_language_host_is_refused_with_the_known_ones(project: Path) -> None:
    with pytest.raises(ValueError, match=r"REHEARSAL_LANGUAGE_HOST is 'nodejs', which nobody knows: write pulumi or"):
        may_be_forked({**BIN, HOST: "nodejs"}, project)


def test_the_folders_of_a_program_are_the_projects_and_that_of_its_main(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert folders(written(tmp_path, "main: app\n")) == [str(tmp_path), str(tmp_path / "app")]
    assert folders(written(tmp_path, "main: .\n")) == [str(tmp_path)]


def attached(project: Path, *modules: str) -> bool:
    """Whether an engine would be attached to a server of ours."""
    with pool.attached(BIN, project, project.parent, modules, looks_again=False) as environment:
        assert list(environment) in ([], [pool.ATTACHED])
        return bool(environment)


def test_modules_that_cannot_be_imported_or_start_threads_are_left_to_the_language_host(project: Path) -> None:
    assert attached(project)
    assert not attached(project, "nowhere_to_be_found")
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    (project.parent / "threaded.py").write_text(thread, encoding="utf-8")
    assert not attached(project, "threaded")
    (project.parent / "fails.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    assert not attached(project, "fails")


@pytest.mark.parametrize("name", ["yaml.py", "grpc/__init__.py"])
def test_a_module_beside_the_program_that_would_be_hidden_is_left_to_the_language_host(
    project: Path, name: str
) -> None:
    (project.parent / name).parent.mkdir(exist_ok=True)
    assert attached(project)
    (project.parent / name).write_text("", encoding="utf-8")
    assert not attached(project)


def test_without_the_engines_script_the_language_host_runs_the_program(project: Path) -> None:
    (project.parent / pool.SCRIPT).unlink()
    assert not attached(project)


def test_modules_are_looked_for_where_a_started_python_looks() -> None:
    assert search_path("/engine/exec", "/mine:/usr/lib", ["/usr/lib", "/site"]) == [
        "/engine",
        "/mine",
        "/usr/lib",
        "/site",
    ]
    assert search_path("/engine/exec", "", ["/site"]) == ["/engine", "/site"]
