"""What is told where the tables and a plugin disagree."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.agreement import Case, Disagreement, Side, Unaided, compare
from rehearsal.providers.judge.plugin_judge import PluginJudge
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.client import PluginFailedError
from rehearsal.providers.plugin.pool import PluginPool
from rehearsal.providers.seams import Subject
from rehearsal.providers.values import Secret, Values
from rehearsal.tables.facts import PACKAGES
from tests.agreement import AGREE, DISAGREE, NOT_JUDGED, report, stage_cases
from tests.fidelity import main
from tests.rehearsal.providers.plugin.acme_plugin import DATABASE
from tests.rehearsal.providers.plugin.installed import install_mirror

Told = Callable[..., list[Disagreement]]
INPUTS: Values = {"tier": "small", "port": 5432, "name": "orders", "password": Secret("hunter2")}


@pytest.fixture
def told(tables: None, pool_of: Callable[..., PluginPool], tmp_path: Path) -> Iterator[Told]:
    """Compare the tables with what plays a plugin, for one case."""
    clouds = [FakeCloud(tmp_path / name) for name in ("by-tables", "by-plugin")]

    def compared(inputs: Values, changed: Values | None = None, mode: str = "well") -> list[Disagreement]:
        subject = Subject(DATABASE, f"urn:pulumi:dev::shop::{DATABASE}::one", "one", {"token": "t"})
        plugin = Side(PluginJudge(pool_of(mode), Unaided()), clouds[1])
        return list(compare([Case(subject, inputs, changed)], Side(TableJudge(), clouds[0]), plugin))

    yield compared
    for cloud in clouds:
        cloud.close()


def test_a_verdict_that_differs_is_told_with_both_sides_words(told: Told) -> None:
    [only] = told({"tier": "huge"})
    assert str(only) == (
        f"{DATABASE} Check tier: tables accept, plugin refuse (expected tier to be one of ['small', 'large'], got huge)"
    )
    assert (only.step, only.path) == ("Check", "tier")


def test_what_the_plugin_lets_through_is_told_as_well(told: Told) -> None:
    [only] = told({"tier": "small", "port": 99999})
    assert (only.path, only.plugin) == ("port", "accept")
    assert only.tables.startswith("refuse (99999 is out of range")


def test_plans_that_know_different_things_are_told_without_their_values(told: Told) -> None:
    found = {one.path: (one.tables, one.plugin) for one in told(INPUTS) if one.step == "plan"}
    # The tables of the made-up package say nothing of these outputs of its plugin.
    assert set(found) == {"addresses", "backup", "connections", "labels", "replication", "state", "token"}
    assert set(found.values()) == {("know none", "do not know")}
    assert "hunter2" not in str(found)


def test_a_replacement_on_which_both_agree_is_not_told_and_another_order_of_it_is(told: Told) -> None:
    found = [one for one in told(INPUTS, INPUTS | {"tier": "large", "port": 6432}) if one.step == "Diff"]
    # That the tier replaces, both say; only the plugin knows that a fixed name leaves no room for two.
    assert [(one.path, one.tables, one.plugin) for one in found] == [
        ("(order)", "delete it last", "delete the old one first")
    ]


def test_a_replacement_that_only_one_sees_is_told(told: Told) -> None:
    # By the plugin a name replaces, by the tables it is changed in place.
    found = [one for one in told(INPUTS, INPUTS | {"name": "others"}) if one.step == "Diff"]
    assert [(one.path, one.tables, one.plugin) for one in found] == [("name", "update", "replace")]


def test_a_change_that_only_one_refuses_is_told(told: Told) -> None:
    found = [one.step for one in told(INPUTS, INPUTS | {"port": 99999}) if one.step.startswith("Check")]
    assert found == ["Check of a change"]


def test_a_plugin_that_fails_is_not_taken_for_one_that_disagrees(told: Told) -> None:
    with pytest.raises(PluginFailedError, match="panic: nil pointer dereference"):
        told(INPUTS, mode="dies-in-check")


def printed(packages: tuple[str, ...], given: Callable[[], list[Case]]) -> tuple[int, str]:
    text = io.StringIO()
    status = report(packages, Console(file=text, width=200), given)
    return status, text.getvalue()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    return tmp_path / "home"


def test_without_any_plugin_nothing_is_compared_and_the_status_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not home.exists()
    assert main(["--judge", "official"]) == NOT_JUDGED != AGREE
    said = capsys.readouterr().out
    assert "NOT JUDGED: no official plugin is installed, so nothing was compared" in said
    assert all(f"pulumi plugin install resource {package} " in said for package in PACKAGES)


def test_a_plugin_that_says_what_the_tables_say_agrees_with_them_in_every_resource_of_a_stage(home: Path) -> None:
    for package in ("grafana", "random"):
        install_mirror(home, package)
    every = [case for case in stage_cases() if case.subject.token.startswith(("grafana:", "random:"))]
    assert sum(case.changed is not None for case in every) > 0
    status, said = printed(("grafana", "random"), lambda: every)
    assert (status, said.count("0 disagreements")) == (AGREE, 2)
    status, said = printed(("grafana", "random", "docker"), lambda: every)
    assert status == NOT_JUDGED
    assert "NOT JUDGED: docker; the others agree with the tables" in said


def test_a_table_that_is_wrong_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant of the tables: their planner forgets a computed output."""
    install_mirror(home, "random")
    case = next(case for case in stage_cases() if case.subject.token == "random:index/randomPassword:RandomPassword")
    planned = TableJudge.plan_create
    monkeypatch.setattr(
        TableJudge, "plan_create", lambda self, subject, inputs: planned(self, subject, inputs) | {"result": "known"}
    )
    status, said = printed(("random",), lambda: [case])
    assert status == DISAGREE
    assert "plan result: tables know one (str), plugin do not know (1 times)" in said
