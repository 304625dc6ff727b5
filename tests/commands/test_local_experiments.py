from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from dreamseed.commands import local_experiments as command
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.ascent import Ascent, Claims, Program
from localtier.k6 import K6Failed
from localtier.load.run import LoadError
from rehearsal.hosts import HostsError

WIDE = {"COLUMNS": "200"}


class Tier:
    """A tier that only says when it is taken down."""

    users_hang = False

    def __init__(self, project: object, console: Console, folder: str, prefix: str) -> None:
        self.told: list[str] = []
        made.append(self)

    def down(self, forget: bool) -> None:
        self.told.append("down and forgotten" if forget else "down")


class Users:
    """Users who only say when they are stopped."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier

    def stop(self) -> None:
        self.tier.told.append("users stopped")
        if self.tier.users_hang:
            raise LoadError("the load does not stop")


made: list[Tier] = []
ENDED = ["users stopped", "down and forgotten"]
Run = Callable[[Ascent], None]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """What ascents are told to do; none does anything, or finds anything."""
    return ascending(monkeypatch, lambda _: None)


def ascending(monkeypatch: pytest.MonkeyPatch, run: Run) -> list[Program]:
    """Let `run` be what an ascent does."""
    made.clear()
    ran: list[Program] = []

    def noted(ascent: Ascent) -> None:
        ran.append(ascent.program)
        run(ascent)

    monkeypatch.setattr(command, "Tier", Tier)
    monkeypatch.setattr(command, "Users", Users)
    monkeypatch.setattr(Ascent, "run", noted)
    return ran


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("test")(command.climb)
    app.command()(command.chaos)
    return CliRunner().invoke(app, list(arguments), env=WIDE)


def last_line(result: Result) -> str:
    return result.output.splitlines()[-1]


@pytest.mark.parametrize("job", ["test", "chaos"])
def test_a_run_without_a_finding_passes(job: str, programs: list[Program]) -> None:
    result = invoke(job)
    assert result.exit_code == 0
    assert last_line(result).startswith("PASS")
    assert programs


@pytest.mark.parametrize("job", ["test", "chaos"])
def test_a_single_finding_of_the_last_ascent_fails_the_run(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = ascending(monkeypatch, lambda ascent: ascent.problems.extend(["a key is lost"] if last(ran) else []))

    def last(so_far: list[Program]) -> bool:
        return len(so_far) == {"test": 2, "chaos": 1}[job]

    result = invoke(job)
    assert result.exit_code == 1
    assert last_line(result) == "FAIL: 1 findings"
    assert "✗ a key is lost" in result.output


def test_a_finding_of_the_first_ascent_fails_the_run_though_the_second_one_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = ascending(monkeypatch, lambda ascent: ascent.problems.extend(["a row is lost"] if len(ran) == 1 else []))
    result = invoke("test")
    assert (result.exit_code, len(ran)) == (1, 2)
    assert last_line(result).startswith("PASS")
    assert "FAIL: 1 findings" in result.output


def test_the_test_climbs_every_stage_cleanly_with_everything_and_then_kills_on_the_first_promotion(
    programs: list[Program],
) -> None:
    invoke("test", "--seed", "4")
    clean, killed = programs
    assert (clean.stages, clean.kills, clean.drift_at) == (STAGE_NAMES, 0, "stage-b")
    assert clean.claims == {"stage-e": Claims.SAMPLE}
    assert clean.k6_seconds > 0
    assert (killed.stages, killed.claims, killed.seed) == (("stage-a", "stage-b"), {}, 4)
    assert killed.kills >= 3


def test_the_test_can_end_earlier_and_try_every_claim_there(programs: list[Program]) -> None:
    invoke("test", "--last", "stage-c", "--claims", "every")
    assert programs[0].stages == ("stage-a", "stage-b", "stage-c")
    assert programs[0].claims == {"stage-c": Claims.EVERY}


def test_chaos_kills_thirty_times_at_least_and_tries_every_claim_at_every_stage(programs: list[Program]) -> None:
    invoke("chaos")
    (program,) = programs
    promotions = len(program.stages) - 1
    assert program.stages == STAGE_NAMES
    assert program.kills * promotions >= 30
    assert program.claims == dict.fromkeys(STAGE_NAMES, Claims.EVERY)


def test_chaos_takes_the_number_of_kills_the_last_stage_and_the_seed(programs: list[Program]) -> None:
    invoke("chaos", "--kills", "2", "--last", "stage-b", "--seed", "9")
    assert [(one.kills, one.stages, one.seed) for one in programs] == [(2, ("stage-a", "stage-b"), 9)]


@pytest.mark.parametrize("job", ["test", "chaos"])
def test_a_stage_that_does_not_exist_is_refused_with_those_that_do(job: str, programs: list[Program]) -> None:
    result = invoke(job, "--last", "stage-f")
    assert result.exit_code == 2
    assert "stage-e" in result.output
    assert (programs, made) == ([], [])


@pytest.mark.parametrize("error", [HostsError("no root", "become root"), LoadError("no report"), K6Failed("no k6")])
def test_what_a_person_can_mend_fails_without_a_trace_and_nothing_is_left_running(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Ascent) -> None:
        raise error

    ascending(monkeypatch, broken)
    result = invoke("test")
    assert result.exit_code == 1
    assert str(error).splitlines()[0] in result.output
    assert "Traceback" not in result.output
    assert [one.told for one in made] == [ENDED]


def test_a_bug_is_no_pass_and_leaves_nothing_running_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Ascent) -> None:
        raise ZeroDivisionError

    ascending(monkeypatch, broken)
    assert invoke("chaos").exit_code == 1
    assert made[0].told == ENDED


def test_users_who_do_not_stop_do_not_keep_the_hosts_from_being_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    ascending(monkeypatch, lambda _: None)
    monkeypatch.setattr(Tier, "users_hang", True)
    assert invoke("chaos").exit_code == 1
    assert made[0].told == ENDED


def test_each_ascent_is_written_to_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = ascending(monkeypatch, lambda ascent: ascent.problems.append(f"found by {len(ran)}"))
    assert invoke("test", "--json", str(tmp_path / "out.json")).exit_code == 1
    contents: list[Any] = [
        json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("out.json", "out-2.json")
    ]
    assert [content["problems"] for content in contents] == [["found by 1"], ["found by 2"]]
