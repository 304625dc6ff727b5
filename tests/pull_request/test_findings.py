from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed.cli import build
from dreamseed.config import STAGE_NAMES
from dreamseed.cost.diff import cost_diff
from dreamseed.errors import DreamSeedError
from dreamseed.pull_request import revision
from dreamseed.pull_request.comment import MOST_RESOURCES, comment
from dreamseed.pull_request.findings import Action, Effect, Findings, Promotion, Touched
from dreamseed.pull_request.leaks import leaks
from dreamseed.pull_request.stages import Planned, reached, survival, with_neighbours
from tests.cost.estimates import estimated
from tests.github.server import TOKEN as GITHUB_TOKEN
from tests.github.server import serving
from tests.planning.stages import planned
from tests.pull_request.cases import BASE, CASES, TOKEN, Case, repository

TODAY = date(2026, 11, 26)
NOTHING = Findings(base="main", today=TODAY, refused={})
ALONE = {"postgres": {"instances": 1, "synchronous_standbys": 0}}
VOLUME = "docker:index/volume:Volume"


def touched(action: Action, name: str = "pg-1-1-data", stateful: bool = True) -> Touched:
    return Touched(action=action, type=VOLUME, name=name, stateful=stateful, inputs=("name",))


@pytest.mark.parametrize(("action", "lost"), [(a, a in (Action.REPLACE, Action.DELETE)) for a in Action])
def test_state_that_is_replaced_or_deleted_stops_a_change_wherever_it_is_seen(action: Action, lost: bool) -> None:
    effect = Effect(name="stage-b", touched=(touched(action), touched(Action.REPLACE, "router", stateful=False)))
    promotion = Promotion(effect=replace(effect, name="stage-a → stage-b"), counts_before=None)
    for findings in (replace(NOTHING, stages=(effect,)), replace(NOTHING, promotions=(promotion,))):
        assert list(findings.reasons()) == (["state would be lost: pg-1-1-data"] if lost else [])
        assert ("**pg-1-1-data" in comment(findings)) is lost


def test_a_broken_policy_and_an_engine_that_refuses_stop_a_change() -> None:
    broken = Effect(name="stage-a", broken=(("tls-strict", "ssl is off"),), errors=("tls-strict: ssl is off",))
    refused = Effect(name="stage-b", errors=("NameError: name 'reigon' is not defined",))
    findings = replace(NOTHING, stages=(broken, refused))
    assert list(findings.reasons()) == ["policies broken: tls-strict", "refused by the engine: stage-b"]
    text = comment(findings)
    assert "- stage-a, policy `tls-strict`: ssl is off" in text
    assert "NameError: name 'reigon' is not defined" in text


def test_a_promotion_that_fails_tells_why_where_no_preview_does() -> None:
    failing = Promotion(effect=Effect(name="stage-a → stage-b", errors=("no such region",)), counts_before=None)
    alone = replace(NOTHING, stages=(Effect(name="stage-a"),), promotions=(failing,))
    assert "| stage-a → stage-b | it fails | – | none |" in comment(alone)
    assert "no such region" in comment(alone)
    told = replace(alone, stages=(Effect(name="stage-a", errors=("no such zone",)),))
    assert "no such zone" in comment(told)
    assert "no such region" not in comment(told)


def test_a_guardrail_that_failed_before_is_not_this_changes_fault() -> None:
    before, dearer = estimated("stage-b", {}), estimated("stage-b", {"api": {"min_instances": 6}})
    same = replace(NOTHING, costs=(cost_diff(before, estimated("stage-b", {"api": {"max_instances": 11}}), TODAY),))
    assert list(same.reasons()) == []
    assert "so before the change, too" in comment(same)
    jumped = replace(NOTHING, costs=(cost_diff(before, dearer, TODAY),))
    assert "stage-b change in USD" in " ".join(jumped.reasons())


def test_a_long_list_of_resources_is_cut_and_what_loses_state_is_first() -> None:
    many = [touched(Action.CREATE, f"a-{number:02}", stateful=False) for number in range(MOST_RESOURCES + 5)]
    lines = comment(replace(NOTHING, stages=(Effect(name="stage-a", touched=(*many, touched(Action.DELETE))),)))
    listed = [line for line in lines.splitlines() if "Volume `" in line]
    assert len(listed) == MOST_RESOURCES
    assert "pg-1-1-data" in listed[0]
    assert "- and 6 more" in lines


def test_a_replica_that_is_taken_away_is_told_as_something_no_longer_survived() -> None:
    both = Planned(before=planned("stage-d"), after=planned("stage-d", ALONE))
    found = list(survival([both]))
    assert {each.loss.partition(",")[0] for each in found if each.worse} == {"postgres shard 1"}
    assert "**worse** stage-d" in comment(replace(NOTHING, survival=tuple(found)))
    assert not list(survival([Planned(before=both.before, after=both.before)]))


@pytest.mark.parametrize(
    ("files", "stages"),
    [
        (["docs/how-to/change-a-stage.md", "tests/ports.py"], ()),
        (["Pulumi.stage-c.yaml", "README.md"], ("stage-c",)),
        (["Pulumi.yaml"], STAGE_NAMES),
        (["components/api.py"], STAGE_NAMES),
        (["dreamseed/planning/ports.py"], STAGE_NAMES),
    ],
)
def test_a_change_reaches_the_stages_whose_files_or_program_it_touches(
    files: list[str], stages: tuple[str, ...]
) -> None:
    assert reached(files) == stages


def test_promotions_into_and_out_of_what_is_reached_are_rehearsed_too() -> None:
    assert with_neighbours(("stage-a",)) == ("stage-a", "stage-b")
    assert with_neighbours(("stage-c",)) == ("stage-b", "stage-c", "stage-d")
    assert with_neighbours(("stage-b", "stage-e")) == STAGE_NAMES
    assert with_neighbours(()) == ()


def test_a_secret_is_found_in_added_lines_only_and_at_its_line() -> None:
    diff = f"+++ b/notes.txt\n@@ -3 +7,2 @@\n-old {TOKEN}\n+fine\n+token {TOKEN}\n"
    assert [(leak.file, leak.line, leak.shape) for leak in leaks(diff)] == [("notes.txt", 8, "a token of GitHub")]


def test_a_tree_is_compared_with_where_it_parted_new_files_included(tmp_path: Path) -> None:
    folder = repository(CASES["harmless"], tmp_path)
    (folder / "notes.txt").write_text(f"one\n{TOKEN}\n", encoding="utf-8")
    commit = revision.commit_of(BASE, folder)
    assert revision.changed_files(commit, folder) == ["Pulumi.stage-a.yaml", "notes.txt"]
    assert [(leak.file, leak.line) for leak in leaks(revision.added(commit, folder))] == [("notes.txt", 2)]
    revision.unpack(commit, folder, tmp_path / "base")
    assert "max_instances: 3" in (tmp_path / "base/Pulumi.stage-a.yaml").read_text(encoding="utf-8")


def test_a_revision_that_git_does_not_know_is_refused_in_words_that_help(tmp_path: Path) -> None:
    folder = repository(CASES["harmless"], tmp_path)
    with pytest.raises(DreamSeedError, match="fetched with its history"):
        revision.commit_of("no-such-branch", folder)


def test_the_command_prints_the_comment_and_ends_with_one_where_the_change_may_not_be_merged(tmp_path: Path) -> None:
    folder = repository(CASES["typo"], tmp_path)
    run = CliRunner().invoke(build(["pull-request", "plan"]), ["pull-request", BASE, "--project", str(folder)])
    assert run.exit_code == 1
    assert "### ❌ May not be merged" in run.stdout


def test_a_change_that_reaches_no_stage_is_posted_and_its_status_says_whether_it_could_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Case(edits=(("README.md", "# DreamSeed Infrastructure", "# Our infrastructure"),))
    folder = repository(change, tmp_path)
    words = ["pull-request", BASE, "--post", "dreamseedai/infrastructure#7", "--project", str(folder)]
    with serving() as github:
        for name, value in {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "GITHUB_TOKEN": GITHUB_TOKEN}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        run = CliRunner().invoke(build(["pull-request", "plan"]), words)
        assert (run.exit_code, "### ✅ May be merged" in run.stdout) == (0, True)
        assert "comment created" in run.stderr
        assert github.bodies() == [run.stdout]
        monkeypatch.delenv("GITHUB_TOKEN")
        assert CliRunner().invoke(build(["pull-request", "plan"]), words).exit_code == 3
