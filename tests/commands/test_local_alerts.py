"""The command around the alerts' experiment: what it says, its exit status, and that it leaves nothing running."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from dreamseed import cli
from dreamseed.commands import experiment as frame
from dreamseed.commands import local_alerts as command
from localtier.experiments.alerts import Findings, Seen
from localtier.experiments.panels import Query
from rehearsal.hosts import HostsError

TOLD = Seen(
    fault="the budget burnt",
    how="a bill",
    expected=frozenset({"BudgetExceeded"}),
    limit_seconds=70,
    told_seconds={"BudgetExceeded": 41.0},
    others=frozenset(),
    suppressed=frozenset({"CostDataStale"}),
)
ENDED = ["users stopped", "down and forgotten"]
Tried = Callable[[Findings], None]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was ended, in order."""
    told: list[str] = []

    class Tier:
        def __init__(self, project: object, console: Console, folder: str, prefix: str) -> None:
            assert (folder, prefix) == ("alerts", "da")

        def down(self, forget: bool) -> None:
            told.append("down and forgotten" if forget else "down")

    class Users:
        def __init__(self, tier: Tier) -> None:
            pass

        def stop(self) -> None:
            told.append("users stopped")

    monkeypatch.setattr(frame, "Tier", Tier)
    monkeypatch.setattr(frame, "Users", Users)
    return told


def run(monkeypatch: pytest.MonkeyPatch, tried: Tried, *words: str) -> Result:
    def found(_tier: object, _stage: str, _console: Console, findings: Findings, *_: object, **__: object) -> None:
        tried(findings)

    monkeypatch.setattr(command, "_try", found)
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.build(("local",)), ["local", "alerts", *words])


def finding(found: Findings) -> Tried:
    def tried(findings: Findings) -> None:
        vars(findings).update(vars(found))

    return tried


def failing(error: Exception) -> Tried:
    def tried(findings: Findings) -> None:
        findings.seen.append(TOLD)
        raise error

    return tried


def test_a_run_without_a_finding_passes_and_says_what_was_told(
    ended: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "found.json"
    result = run(monkeypatch, finding(Findings(seen=[TOLD], queries=60, metrics=80)), "--json", str(target))
    assert result.exit_code == 0, result.output
    assert "told exactly as expected: 1; series that rules read and are there: 80; queries" in result.output
    assert ended == ENDED
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["passed"]
    assert content["faults"][0]["told_seconds"] == {"BudgetExceeded": 41.0}
    assert content["faults"][0]["suppressed"] == ["CostDataStale"]


def test_a_single_finding_fails_the_run(ended: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    query = Query(board="Hosts", panel="CPU", expression="x")
    found = Findings(queries=1, empty=[query], problems=["the panel 'CPU' of 'Hosts' shows nothing: x"])
    result = run(monkeypatch, finding(found), "--json", str(tmp_path / "found.json"))
    assert result.exit_code == 1
    assert "the panel 'CPU'" in result.output
    assert ended == ENDED
    assert not json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["passed"]


@pytest.mark.parametrize("error", [HostsError("the bridge is gone", "look"), RuntimeError("a bug")])
def test_what_ends_a_run_is_no_pass_and_leaves_nothing_running(
    ended: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    result = run(monkeypatch, failing(error))
    assert result.exit_code == 1
    assert ended == ENDED
    # What a person can mend is a finding beside what was found before; a bug shows its trace.
    assert (TOLD.fault in result.output) is isinstance(error, HostsError)


def test_a_stage_that_does_not_exist_is_refused_before_anything_is_touched(
    ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, finding(Findings()), "--stage", "stage-z").exit_code == 2
    assert ended == []
