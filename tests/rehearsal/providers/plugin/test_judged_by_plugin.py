"""A program rehearsed by the real engine, judged by what plays a vendor's plugin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pulumi
import pytest

from rehearsal.testing import RehearsalFailedError, Stack
from rehearsal.toolchain import ensure_engine
from tests.rehearsal.providers.plugin.acme_plugin import DATABASE, RECORD
from tests.rehearsal.providers.plugin.installed import TABLES, install

pytestmark = pytest.mark.engine
SECRET_TEXT = "hunter2-of-the-plugin"
CONFIG = {"acme:token": "t", "tier": "small", "port": 5432, "collation": "C"}
# Ample for an answer on a busy machine; what hangs does so for an hour, and starts in its own time.
SECONDS, AN_HOUR_SECONDS = 120.0, 3600.0
HANGS_SECONDS = 2.0

Judged = Callable[..., Stack]


def acme_program() -> None:
    """A database with a block, a list and a secret, and a record that needs what only the cloud knows of it."""
    config = pulumi.Config()
    settings = {"collation": config.require("collation"), "flags": [{"name": "max", "value": "10"}]}
    inputs = {
        "tier": config.require("tier"),
        "port": config.require_int("port"),
        "public": False,
        "password": pulumi.Output.secret(SECRET_TEXT),
        "settings": settings,
        **dict.fromkeys(("endpoint", "encrypted", "token"), None),
    }
    database = pulumi.CustomResource(DATABASE, "orders", inputs)
    endpoint = pulumi.get(database, "endpoint")
    pulumi.CustomResource(RECORD, "record", {"content": endpoint})
    pulumi.export("endpoint", endpoint)


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judged]:
    """Make the stack of `acme_program`, with a plugin that behaves as it is told."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    with ExitStack() as stacks:

        def make(mode: str = "well", judge: str = "official", seconds: float = SECONDS, **config: object) -> Stack:
            if mode:
                install(tmp_path / "home", mode)
            root = tmp_path / "rehearsal"
            root.mkdir()
            stack = Stack.of(
                acme_program,
                toolchain=ensure_engine(),
                root=root,
                config=CONFIG | config,
                tables=TABLES,
                judge=judge,
                judge_seconds=seconds,
            )
            return stacks.enter_context(stack)

        yield make


def test_a_program_lives_its_whole_life_under_the_plugins_eyes(judged: Judged) -> None:
    stack = judged()
    assert stack.judges["acme"].startswith("the official plugin 2.3.0 (")
    assert stack.preview().counts == {"create": 2}
    up = stack.up()
    assert up.outputs["endpoint"].endswith(".acme.example")
    assert up.preview().counts == {}
    outputs = up.resources["orders"].outputs
    # What the tables know comes from the fake cloud, what they do not from the plugin's schema.
    assert (outputs["encrypted"], outputs["addresses"], outputs["state"]) == (False, [], "STARTING")
    assert outputs["__meta"] == '{"schema_version":"2"}'
    assert "backup" not in outputs
    assert SECRET_TEXT not in "".join(map(str, up.events))

    changed = up.preview(config={"collation": "de"})
    assert [(str(step.action), step.properties) for step in changed.steps] == [("update", ("settings.collation",))]
    larger = up.promote(config={"tier": "large"})
    # The new database has another name, and so another endpoint.
    assert {step.resource.name: str(step.action) for step in larger.steps} == {"orders": "replace", "record": "update"}
    assert larger.preview().counts == {}
    assert larger.refresh().counts == {}
    assert larger.promote(config={"collation": "de"}).counts == {"update": 1}
    assert larger.preview().counts == {}
    assert larger.destroy().counts == {"delete": 2}


def test_what_the_plugin_refuses_is_told_in_its_words_and_what_it_lets_through_by_the_tables(judged: Judged) -> None:
    with pytest.raises(RehearsalFailedError) as refused:
        judged(tier="huge", port=99999).preview()
    told = str(refused.value)
    assert "expected tier to be one of ['small', 'large'], got huge" in told
    assert "99999 is out of range" in told
    assert "told by the rehearsal's tables; the plugin lets it through" in told


def test_a_configuration_that_the_plugin_refuses_is_told(judged: Judged) -> None:
    stack = judged(**{"acme:token": "wrong"})
    assert "could not validate the token" in "\n".join(stack.preview(check=False).errors)
    region = stack.preview(config={"acme:token": "t", "acme:region": "mars"}, check=False)
    assert "expected region to be one of [eu us]" in "\n".join(region.errors)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("hangs-in-check", "did not answer Check of orders (acme:index/database:Database) within 2 s"),
        ("dies-in-check", "panic: nil pointer dereference"),
    ],
)
def test_a_plugin_that_fails_is_an_error_and_never_waited_for(judged: Judged, mode: str, words: str) -> None:
    stack, began = judged(mode, seconds=HANGS_SECONDS), time.monotonic()
    told = "\n".join(stack.preview(check=False).errors)
    assert words in told
    assert "pulumi-resource-acme" in told
    assert "judge by the tables instead (JUDGE=tables" in told
    assert time.monotonic() - began < AN_HOUR_SECONDS / 10


def test_a_missing_plugin_is_an_error_with_the_command_that_installs_it(judged: Judged) -> None:
    told = "\n".join(judged(mode="").preview(check=False).errors)
    assert "no official plugin of acme is installed" in told
    assert "pulumi plugin install resource acme" in told


def test_without_a_plugin_the_tables_judge_where_that_is_allowed(judged: Judged) -> None:
    stack = judged(mode="", judge="auto")
    assert stack.judges["acme"] == "tables (the official plugin is not installed)"
    assert stack.preview().counts == {"create": 2}
