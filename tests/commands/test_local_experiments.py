from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from dreamseed.commands import experiment as frame
from dreamseed.commands import local_experiments as command
from dreamseed.config.load import STAGE_NAMES
from localtier.experiments.ascent import Ascent, Claims, Program
from localtier.experiments.kills import Victim
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

    monkeypatch.setattr(frame, "Tier", Tier)
    monkeypatch.setattr(frame, "Users", Users)
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
def test_a_single_finding_fails_the_run(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ascending(monkeypatch, lambda ascent: ascent.problems.append("a key is lost"))
    result = invoke(job)
    assert result.exit_code == 1
    assert last_line(result) == "FAIL: 1 findings"
    assert "✗ a key is lost" in result.output


def test_the_test_climbs_every_stage_kills_in_the_middle_and_tries_servers_and_links_at_the_end(
    programs: list[Program],
) -> None:
    invoke("test", "--seed", "4")
    (program,) = programs
    assert (program.stages, program.drift_at, program.seed) == (STAGE_NAMES, "stage-b", 4)
    assert program.alerts_at == "stage-b"
    assert program.kills == {"stage-c": (Victim.PULUMI,), "stage-d": (Victim.DOCKER,)}
    assert program.claims == {"stage-e": Claims.HOSTS}
    assert program.k6_seconds > 0


def test_the_test_can_end_earlier_kill_nothing_and_try_every_claim_there(programs: list[Program]) -> None:
    invoke("test", "--last", "stage-c", "--claims", "every")
    invoke("test", "--last", "stage-c", "--clean")
    assert [one.stages for one in programs] == [("stage-a", "stage-b", "stage-c")] * 2
    assert programs[0].claims == {"stage-c": Claims.EVERY}
    assert [one.alerts_at for one in programs] == ["stage-b"] * 2
    invoke("test", "--no-alerts")
    assert programs.pop().alerts_at is None
    assert [one.kills for one in programs] == [{"stage-c": (Victim.PULUMI,)}, {}]


def test_chaos_kills_thirty_times_at_least_and_tries_every_claim_at_every_stage(programs: list[Program]) -> None:
    invoke("chaos")
    (program,) = programs
    assert program.stages == STAGE_NAMES
    assert [*program.kills] == [*STAGE_NAMES[1:]]
    assert sum(map(len, program.kills.values())) >= 30
    assert all(set(victims) == set(Victim) for victims in program.kills.values())
    assert program.claims == dict.fromkeys(STAGE_NAMES, Claims.EVERY)


def test_chaos_takes_the_number_of_kills_the_claims_the_last_stage_and_the_seed(programs: list[Program]) -> None:
    invoke("chaos", "--kills", "3", "--last", "stage-b", "--seed", "9", "--claims", "none")
    kills = {"stage-b": (Victim.PULUMI, Victim.PULUMI, Victim.DOCKER)}
    assert [(one.kills, one.stages, one.seed) for one in programs] == [(kills, ("stage-a", "stage-b"), 9)]
    assert set(programs[0].claims.values()) == {Claims.NONE}


def test_chaos_tries_claims_from_the_stage_that_it_is_told(programs: list[Program]) -> None:
    invoke("chaos", "--claims", "sample", "--claims-from", "stage-d")
    assert programs[0].claims == {"stage-d": Claims.SAMPLE, "stage-e": Claims.SAMPLE}
    assert invoke("chaos", "--claims-from", "stage-z").exit_code == 2


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


@pytest.mark.parametrize(
    ("error", "told"),
    [(LoadError("no report"), "ended by LoadError: no report"), (KeyboardInterrupt(), "ended by hand")],
)
def test_everything_that_was_found_is_written_also_when_something_ended_it(
    error: BaseException, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(ascent: Ascent) -> None:
        ascent.problems.append("found before")
        raise error

    ascending(monkeypatch, broken)
    result = invoke("test", "--json", str(tmp_path / "out.json"))
    assert result.exit_code == 1
    assert last_line(result) == "FAIL: 2 findings"
    content: dict[str, Any] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert content["problems"] == ["found before", told]
    assert made[0].told == ENDED
