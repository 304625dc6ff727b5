"""What a judge makes of the answers of what plays a vendor's plugin; see `acme_plugin.py` for what that refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.plugin_judge import PluginJudge
from rehearsal.providers.plugin import settling
from rehearsal.providers.plugin.client import PluginFailedError
from rehearsal.providers.plugin.pool import MOST, PluginPool
from rehearsal.providers.plugin.settling import SettledCloud
from rehearsal.providers.seams import RefusedError, Subject
from rehearsal.providers.values import UNKNOWN, Secret, Values, has_unknown
from rehearsal.tables.shapes import Kind
from tests.rehearsal.providers.plugin.acme_plugin import DATABASE, RECORD

Judges = Callable[..., PluginJudge]
CONFIG = {"token": Secret("t"), "version": "2.3.0"}
INPUTS: Values = {
    "tier": "small",
    "port": 5432,
    "password": Secret("hunter2"),
    "settings": {"flags": [{"name": "max"}]},
}


def subject(token: str, object_id: str = "", config: Values | None = None) -> Subject:
    return Subject(token, f"urn:pulumi:dev::shop::{token}::one", "one", CONFIG if config is None else config, object_id)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    """The fake cloud below the plugin's plans."""
    cloud = FakeCloud(tmp_path / "cloud")
    yield cloud
    cloud.close()


def made(judge: PluginJudge, cloud: FakeCloud, token: str, inputs: Values) -> tuple[Subject, Values, Values]:
    """Check, plan and make one; return who it is, its checked inputs and its outputs."""
    checked = judge.check(subject(token), inputs, {}, b"seed")
    assert checked.failures == []
    planned = judge.plan_create(subject(token), checked.inputs)
    found = SettledCloud(cloud, judge.schema).create(subject(token), checked.inputs, planned)
    assert not has_unknown(found.outputs)
    return subject(token, found.id), checked.inputs, found.outputs


@pytest.mark.parametrize("mode", ["well", "modern", "noise"])
@pytest.mark.parametrize(("token", "inputs"), [(DATABASE, INPUTS), (RECORD, {"content": "192.0.2.1"})])
def test_what_is_made_of_a_plan_differs_in_nothing_by_the_plugins_own_diff(
    judge_of: Judges, cloud: FakeCloud, mode: str, token: str, inputs: Values
) -> None:
    judge = judge_of(mode)
    one, checked, outputs = made(judge, cloud, token, inputs)
    assert judge.diff(one, checked, outputs, checked, ()).changes == ()
    again = SettledCloud(cloud, judge.schema).read(one, one.id, checked, outputs)
    assert again is not None
    assert again.outputs == outputs


def test_an_update_is_planned_by_the_plugin_and_keeps_what_it_keeps(judge_of: Judges, cloud: FakeCloud) -> None:
    judge = judge_of()
    for token, inputs, change in (
        (DATABASE, INPUTS, {"port": 6432}),
        (RECORD, {"content": "192.0.2.1"}, {"content": "192.0.2.2"}),
    ):
        one, old, outputs = made(judge, cloud, token, inputs)
        new = old | change
        difference = judge.diff(one, old, outputs, new, ())
        assert [(found.path, found.replaces) for found in difference.changes] == [(next(iter(change)), False)]
        planned = judge.plan_update(one, outputs, new, old)
        updated = SettledCloud(cloud, judge.schema).update(one, one.id, new, planned)
        assert updated == outputs | change
        assert judge.diff(one, new, updated, new, ()).changes == ()


def test_a_mutant_that_fills_booleans_with_texts_is_refused(
    judge_of: Judges, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judge_of()
    monkeypatch.setattr(settling, "MADE_UP", {**settling.MADE_UP, Kind.BOOLEAN: ""})
    one, checked, outputs = made(judge, cloud, DATABASE, INPUTS)
    with pytest.raises(RefusedError, match="a bool is required"):
        judge.diff(one, checked, outputs, checked, ())


def test_a_mutant_that_fills_blocks_with_empty_ones_is_refused(
    judge_of: Judges, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judge_of()
    monkeypatch.setattr(settling, "MADE_UP", {**settling.MADE_UP, Kind.OBJECT: {}})
    one, checked, outputs = made(judge, cloud, DATABASE, INPUTS)
    with pytest.raises(RefusedError, match="an empty block is no block"):
        judge.diff(one, checked, outputs, checked, ())


@pytest.mark.parametrize("token", [DATABASE, RECORD])
def test_a_mutant_that_drops_what_the_plugin_writes_of_its_version_is_refused(
    judge_of: Judges, cloud: FakeCloud, token: str
) -> None:
    judge = judge_of()
    one, checked, outputs = made(judge, cloud, token, INPUTS if token == DATABASE else {"content": "192.0.2.1"})
    del outputs["__meta"]
    with pytest.raises(RefusedError, match=r"Could not parse raw state as v\d+ format"):
        judge.diff(one, checked, outputs, checked, ())


def test_a_replacement_is_the_plugins(judge_of: Judges, cloud: FakeCloud) -> None:
    judge = judge_of()
    one, checked, outputs = made(judge, cloud, DATABASE, INPUTS | {"name": "orders"})
    larger = judge.diff(one, checked, outputs, checked | {"tier": "large"}, ())
    assert [(change.path, change.replaces) for change in larger.changes] == [("tier", True)]
    assert larger.delete_before_replace
    assert judge.keeps_on_delete(one, outputs) is False


def test_a_plan_leaves_open_what_only_the_cloud_knows_and_keeps_secrets(judge_of: Judges) -> None:
    planned = judge_of().plan_create(subject(DATABASE), INPUTS)
    assert planned["endpoint"] is UNKNOWN
    assert planned["replication"] == Secret(UNKNOWN)
    assert planned["password"] == Secret("hunter2")


def test_failures_are_the_plugins_and_where_it_says_nothing_the_tables(judge_of: Judges) -> None:
    failures = judge_of().check(subject(DATABASE), {"tier": "huge", "port": 99999}, {}, b"seed").failures
    assert [failure.path for failure in failures] == ["tier", "port"]
    assert "got huge" in failures[0].reason
    assert "told by the rehearsal's tables" in failures[1].reason


def test_names_that_the_plugin_draws_stay(judge_of: Judges) -> None:
    judge = judge_of()
    first = judge.check(subject(DATABASE), {"tier": "small"}, {}, b"seed").inputs
    assert first["name"].startswith("one-")
    assert judge.check(subject(DATABASE), {"tier": "small"}, first, b"other").inputs["name"] == first["name"]


def test_every_configuration_has_a_process_of_its_own_and_the_same_one_is_kept(
    pool_of: Callable[..., PluginPool],
) -> None:
    pool = pool_of()
    first = pool.any()
    assert pool.configured({"token": "t"}) is first
    assert pool.configured({"token": "t"}) is first
    second = pool.configured({"token": "u"})
    assert second is not first
    with pytest.raises(RefusedError, match="could not validate the token"):
        pool.configured({"token": "wrong"})


def test_more_configurations_than_processes_may_be_are_refused(
    pool_of: Callable[..., PluginPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST > 4
    monkeypatch.setattr("rehearsal.providers.plugin.pool.MOST", 1)
    pool = pool_of()
    pool.configured({"token": "t"})
    with pytest.raises(RefusedError, match="1 configurations of acme have plugins of their own already: stop"):
        pool.configured({"token": "u"})


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("hangs-at-start", "printed no port within 1.5 s"),
        ("dies-at-start", r"ended before it printed a port.\nIts last words: cannot find libvendor.so"),
        ("other-version", "is of version 9.0.0, and the installed SDK is of version 2"),
    ],
)
def test_a_plugin_that_does_not_start_is_told_and_not_started_again(
    pool_of: Callable[..., PluginPool], mode: str, words: str
) -> None:
    pool = pool_of(mode, seconds=1.5 if mode == "hangs-at-start" else 120.0, major="2")
    with pytest.raises(PluginFailedError, match=words) as failed:
        pool.any()
    with pytest.raises(PluginFailedError) as again:
        pool.configured({})
    assert again.value is failed.value


def test_a_plugin_that_hangs_is_stopped_at_its_deadline_and_asked_nothing_more(judge_of: Judges) -> None:
    judge = judge_of("hangs-in-check")
    client = judge.configured(CONFIG)
    client.seconds = 1.0
    with pytest.raises(PluginFailedError, match=r"did not answer Check of one \(.*\) within 1 s"):
        judge.check(subject(DATABASE), {"tier": "small"}, {}, b"seed")
    client.seconds = 3600.0
    with pytest.raises(PluginFailedError, match="did not answer Check"):
        judge.plan_create(subject(DATABASE), {"tier": "small"})


def test_an_answer_that_is_none_and_a_schema_that_is_none_are_told(judge_of: Judges, tmp_path: Path) -> None:
    judge = judge_of("garbage-in-check")
    with pytest.raises(PluginFailedError, match=r"answered Check of one \(.*\) with what is no answer"):
        judge.check(subject(DATABASE), {"tier": "small"}, {}, b"seed")
    with pytest.raises(PluginFailedError, match="answered Check"):
        judge.plan_create(subject(DATABASE), {"tier": "small"})
    (tmp_path / "home").rename(tmp_path / "elsewhere")
    with pytest.raises(PluginFailedError, match="answered with a schema that is none"):
        judge_of("garbage-schema").schema()
