from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import counts

pytest_plugins = ["pytester"]

TWO_TESTS = """
import pytest

def test_one() -> None:
    pass

@pytest.mark.skipif({skipped}, reason="told to")
def test_two() -> None:
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of its own with the real conftest, two tests, and two as the recorded number."""
    monkeypatch.delenv(counts.RECORD_VARIABLE, raising=False)
    tests = pytester.mkpydir("tests")
    here = Path(__file__).parent
    for name in ("conftest.py", "counts.py"):
        (tests / name).write_text((here / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tests / "expected_count.json").write_text(json.dumps({"tests/part": 2}), encoding="utf-8")
    (tests / "part").mkdir()
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]')
    return pytester


def run(project: pytest.Pytester, skipped: bool, *arguments: str) -> pytest.RunResult:
    source = TWO_TESTS.format(skipped=skipped)
    (project.path / "tests" / "part" / "test_two.py").write_text(source, encoding="utf-8")
    return project.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_full_run_that_reaches_the_recorded_numbers_passes(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(project, False, *workers)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*2  tests/part"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_green_run_in_which_fewer_tests_ran_fails_and_says_what_to_do(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(project, True, *workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*tests/part: 1 tests ran, 2 did*", f"*{counts.REMEDY}*"])


@pytest.mark.parametrize("mark", ["browser", "kernel"])
def test_a_test_that_this_machine_cannot_run_is_counted_as_skipped_and_fails_nothing(
    project: pytest.Pytester, mark: str
) -> None:
    source = TWO_TESTS.format(skipped=True).replace("@pytest.mark.skipif", f"@pytest.mark.{mark}\n@pytest.mark.skipif")
    (project.path / "tests" / "part" / "test_two.py").write_text(source, encoding="utf-8")
    result = project.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*1  tests/part, 1 skipped"])


def test_a_run_of_chosen_tests_is_not_held_to_the_numbers(project: pytest.Pytester) -> None:
    assert run(project, False, "-k", "one").ret == pytest.ExitCode.OK
    assert run(project, False, "tests/part/test_two.py::test_one").ret == pytest.ExitCode.OK


def test_the_printed_command_records_the_new_numbers(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(counts.RECORD_VARIABLE, "1")
    assert run(project, True).ret == pytest.ExitCode.OK
    recorded = json.loads((project.path / "tests" / "expected_count.json").read_text(encoding="utf-8"))
    assert recorded == {"tests/part": 1}


GROUPED = """
import os
import pytest

pytestmark = pytest.mark.xdist_group("one")

@pytest.mark.parametrize("number", range(4))
def test_alone(number: int) -> None:
    print("on", os.environ["PYTEST_XDIST_WORKER"])
"""
FORGETFUL = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item._nodeid = item.nodeid.partition("@")[0]
"""


def grouped(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    for name in ("test_first.py", "test_second.py"):
        (project.path / "tests" / "part" / name).write_text(GROUPED, encoding="utf-8")
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2", "--dist", "loadgroup", "-rP", *arguments)


def test_the_tests_of_a_group_run_on_one_worker(project: pytest.Pytester) -> None:
    result = grouped(project)
    result.assert_outcomes(passed=8)
    assert len({line for line in result.outlines if line.startswith("on gw")}) == 1


def test_workers_that_would_not_group_refuse_to_run(project: pytest.Pytester) -> None:
    (project.path / "forgetful.py").write_text(FORGETFUL, encoding="utf-8")
    result = grouped(project, "-p", "forgetful")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "groups no tests" in result.stderr.str()
