"""What every test run has: an engine on PATH where a test needs it, a guard against testing nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from rehearsal.toolchain import ensure_engine
from tests import counts

# Time is measured in `make bench`: here a busy machine would make a sound test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

MAY_BE_SKIPPED = ("browser", "kernel")
"""The marks of tests that a machine skips and is not blamed for: it has no browser, or gives no network interfaces."""


def pytest_runtest_setup() -> None:
    """Give the test an event loop: Pulumi's mocks ask for one, and a test before may have run and closed its own."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Put an engine on PATH when a test needs one (built once, then cached): none is skipped for it."""
    if any(item.get_closest_marker("engine") for item in session.items):
        os.environ["PATH"] = ensure_engine().path(Path(sys.executable).parent)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """Refuse a full run whose workers do not keep the tests of a group together: each would build what they share."""
    if node.config.getoption("dist") == "loadgroup" and counts.is_full_run(node.config) and "@" not in "".join(ids):
        raise pytest.UsageError("this pytest-xdist groups no tests: see the version of pytest in requirements.in")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many tests each folder ran, and what is missing against the recorded numbers."""
    if not counts.is_full_run(config):
        return
    ran, skipped = ran_by_folder(terminalreporter), skipped_by_folder(terminalreporter)
    terminalreporter.section("tests by folder")
    for folder in sorted(ran | skipped):
        also = f", {skipped[folder]} skipped" if skipped[folder] else ""
        terminalreporter.line(f"{ran[folder]:5d}  {folder}{also}")
    for line in counts.missing(ran, skipped_by_folder(terminalreporter, MAY_BE_SKIPPED), counts.recorded()):
        terminalreporter.line(line, red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a full run in which fewer tests ran than are recorded."""
    if exitstatus or not counts.is_full_run(session.config):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return
    ran = ran_by_folder(reporter)
    if counts.RECORD_VARIABLE in os.environ:
        counts.record(ran)
    if counts.missing(ran, skipped_by_folder(reporter, MAY_BE_SKIPPED), counts.recorded()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def ran_by_folder(reporter: pytest.TerminalReporter) -> Counter[str]:
    """Count the tests that ran to an end, by the folder of their file: skipped ones did not run."""
    reports = [report for outcome in ("passed", "failed", "xfailed") for report in reporter.stats.get(outcome, [])]
    return Counter(counts.folder_of(report.nodeid) for report in reports if report.when == "call")


def skipped_by_folder(reporter: pytest.TerminalReporter, marks: Sequence[str] = ()) -> Counter[str]:
    """Count the tests that were skipped, by the folder of their file: all, or those with one of `marks`."""
    reports = (report for report in reporter.stats.get("skipped", []) if isinstance(report, pytest.TestReport))
    return Counter(
        counts.folder_of(report.nodeid) for report in reports if not marks or set(marks) & set(report.keywords)
    )
