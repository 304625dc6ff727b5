"""`dreamseed cost diff --post`: the exit status, and what is said where."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.cost.report.comment import MARKER
from tests.github.server import TOKEN, FakeGitHub, Fault, serving
from tests.planning.stages import ROOT

PULL_REQUEST = "dreamseedai/infrastructure#7"
SOUND = ("stage-a", "stage-a")
UNSOUND = ("stage-a", "stage-a", "--what-if", "api.min_instances=1")


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    with serving() as github:
        for name, value in {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "GITHUB_TOKEN": TOKEN}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        yield github


def run(*words: str, post: str = PULL_REQUEST) -> Result:
    arguments = ["cost", "diff", *words, "--post", post, "--project", str(ROOT)]
    result = CliRunner().invoke(build(["cost"]), arguments)
    assert TOKEN not in result.output
    return result


def test_the_comment_is_created_then_edited_and_stdout_stays_what_was_asked_for(github: FakeGitHub) -> None:
    first = run(*SOUND, "--json")
    assert json.loads(first.stdout)["usd_change"] == 0
    assert first.stderr == f"comment created: {github.comments[0]['html_url']}\n"
    second = run("stage-b", "stage-c", "--markdown")
    assert second.stderr == f"comment edited: {github.comments[0]['html_url']}\n"
    assert github.bodies() == [second.stdout]
    assert second.stdout.startswith(f"{MARKER}\n")


def test_a_second_comment_of_ours_is_named(github: FakeGitHub) -> None:
    github.write(f"{MARKER}\nold")
    github.write(f"{MARKER}\nold")
    assert f"delete {github.comments[1]['html_url']}" in run(*SOUND).stderr


@pytest.mark.parametrize(("words", "status"), [(SOUND, 0), (UNSOUND, 1)])
def test_posting_leaves_the_exit_status_to_the_guardrails(
    github: FakeGitHub, words: tuple[str, ...], status: int
) -> None:
    assert run(*words).exit_code == status
    assert len(github.bodies()) == 1


@pytest.mark.parametrize(("words", "status"), [(SOUND, 3), (UNSOUND, 1)])
def test_a_comment_that_could_not_be_posted_is_status_3_unless_a_guardrail_failed(
    github: FakeGitHub, words: tuple[str, ...], status: int
) -> None:
    github.faults = [Fault("POST", 403, answer={"message": "Resource not accessible by integration"})]
    result = run(*words)
    assert result.exit_code == status
    assert "the comment was not posted: POST" in result.stderr
    assert "GITHUB_STEP_SUMMARY" in result.stderr
    assert "Guardrails" in result.stdout


def test_without_a_token_nothing_is_asked_and_the_change_is_still_shown(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    result = run(*SOUND)
    assert result.exit_code == 3
    assert "GITHUB_TOKEN: no token" in result.stderr
    assert "Guardrails" in result.stdout
    assert github.asked == []


def test_a_name_that_is_no_pull_request_is_wrong_usage(github: FakeGitHub) -> None:
    result = run(*SOUND, post="dreamseedai/infrastructure")
    assert result.exit_code == 2
    assert github.asked == []


def test_where_there_is_no_change_to_post_the_option_is_refused() -> None:
    arguments = ["cost", "stage-a", "--post", PULL_REQUEST, "--project", str(ROOT)]
    assert CliRunner().invoke(build(["cost"]), arguments).exit_code == 2
