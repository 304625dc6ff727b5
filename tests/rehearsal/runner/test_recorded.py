"""The state that is read from the backend's file is the one that the engine exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rehearsal.runner import Project, Workspace
from tests.rehearsal.programs.given import SECRET, STACK, Small

PROGRAM = """
import pulumi
pulumi.ComponentResource("small:index:Thing", "thing", {})
pulumi.export("token", pulumi.Config().require_secret("token"))
"""


@pytest.mark.engine
@pytest.mark.xdist_group("programs")
def test_the_file_holds_what_the_engine_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Small(tmp_path / "small")
    small.write(PROGRAM)
    engine = small.engine()
    begun = engine.read_state(STACK)
    assert engine.up(STACK, STACK, lambda _: None).succeeded
    read = engine.read_state(STACK)
    assert SECRET not in json.dumps(read)
    assert SECRET in json.dumps(engine.read_state(STACK, show_secrets=True))
    monkeypatch.setattr(Workspace, "recorded", lambda *_: None)
    exported = engine.read_state(STACK)
    assert read == exported != begun
    assert [resource["type"] for resource in read["deployment"]["resources"]] == [
        "pulumi:pulumi:Stack",
        "small:index:Thing",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"version": 3, "checkp',
        "[]",
        '{"version": 3, "checkpoint": {}}',
        '{"version": 4, "checkpoint": {"latest": {}}}',
    ],
)
def test_a_file_of_another_form_is_left_to_the_engine(tmp_path: Path, text: str) -> None:
    workspace = Workspace(Project(directory=tmp_path, stacks=(), passphrase=""), tmp_path)
    assert workspace.recorded("one") is None
    file = workspace.backend / ".pulumi" / "stacks" / "small" / "one.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert workspace.recorded("one") is None
    file.write_text('{"version": 3, "checkpoint": {"latest": {"resources": []}}}', encoding="utf-8")
    assert workspace.recorded("one") == {"version": 3, "deployment": {"resources": []}}


@pytest.mark.engine
@pytest.mark.xdist_group("programs")
def test_a_damaged_state_is_told_in_the_engines_words(tmp_path: Path) -> None:
    small = Small(tmp_path / "small")
    small.write(PROGRAM)
    engine = small.engine()
    assert engine.up(STACK, STACK, lambda _: None).succeeded
    [file] = engine.workspace.backend.glob(".pulumi/stacks/*/*.json")
    file.write_text(file.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(RuntimeError, match="unexpected end of JSON input"):
        engine.read_state(STACK)
