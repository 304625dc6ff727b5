from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from dreamseed.commands.schema import schema
from dreamseed.config import STAGE_NAMES, stage_file
from dreamseed.config.load import STAGE_KEY
from dreamseed.config.schema import SCHEMA_PATH, schema_text, stack_schema
from tests.config.corpus_files import CORPUS, ROOT, Fault, document, read

VALIDATOR = Draft202012Validator(stack_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
MODELINE = f"# yaml-language-server: $schema={SCHEMA_PATH}"
# A schema cannot say these: bits of an address, what the shared part may hold, a date as the engine rewrites it,
# and which days there are.
UNSEEN = (
    "error.keys-service-token.a-day-that-is-none",
    "error.network-cloud_range.host-bits",
    "error.servers.none",
    "happy.accepted-overrun-as-the-engine-writes-its-date",
)


def faults(stack: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(stack)]


def stack(name: str) -> Any:
    return yaml.safe_load(stage_file(ROOT, name).read_text(encoding="utf-8"))


def test_the_published_schema_is_fresh() -> None:
    text = (ROOT / SCHEMA_PATH).read_text(encoding="utf-8")
    assert text == schema_text(), "run this and read the difference:\n  .venv/bin/dreamseed schema"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(stack_schema())


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_each_shipped_file_is_valid_and_names_the_schema_to_editors(name: str) -> None:
    assert faults(stack(name)) == []
    assert stage_file(ROOT, name).read_text(encoding="utf-8").startswith(f"{MODELINE}\n")


def whole(path: Path) -> dict[str, Any]:
    """The case as a stack file that says everything; dates are texts to a schema."""
    return {"config": {STAGE_KEY: json.loads(json.dumps(document(read(path)), default=str))}}


def shows_by_itself(fault: Fault) -> bool:
    """Whether one value alone shows the fault: its type, range, length, set of words or form."""
    generic = fault["why"].startswith("the key means") and fault["what"] != "is missing"
    form = fault["what"].startswith("'") and not fault["what"].endswith("a time zone")
    return generic or form


HAPPY = [path for path in sorted(CORPUS.glob("happy.*.yaml")) if path.stem not in UNSEEN]


@pytest.mark.parametrize("path", HAPPY, ids=lambda path: path.stem)
def test_what_the_models_accept_the_schema_accepts(path: Path) -> None:
    assert faults(whole(path)) == []


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(CORPUS.glob("error.*.yaml"))
        if path.stem not in UNSEEN and any(map(shows_by_itself, read(path).expect))
    ],
    ids=lambda path: path.stem,
)
def test_a_wrong_value_is_marked_in_the_editor_too(path: Path) -> None:
    assert faults(whole(path))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"config": {}}, "'dreamseed:stage' is a required property"),
        ({"config": {STAGE_KEY: {"kafkas": {}}}}, "'kafkas' was unexpected"),
        ({"config": {STAGE_KEY: {}, "dreamseed:hugging-face-token": "hf_plain"}}, "is not of type 'object'"),
        ({"config": {STAGE_KEY: {}}, "stage": {}}, "'stage' was unexpected"),
        ({"config": {STAGE_KEY: {"kafka": {"topics": [{"name": "a"}]}}}}, "'partitions' is a required property"),
    ],
)
def test_a_wrong_stack_file_is_refused(change: dict[str, Any], what: str) -> None:
    assert any(what in message for message in faults(change))


def test_a_stage_file_may_leave_out_what_all_share_and_hold_secrets() -> None:
    secret = {"secure": "v1:abc:def"}
    stack = {"encryptionsalt": "v1:x", "config": {STAGE_KEY: {"api": {}}, "dreamseed:hugging-face-token": secret}}
    assert faults(stack) == []
    assert faults({"config": {STAGE_KEY: {}, "gcp:project": "dreamseed-prod"}}) == []


def test_immutable_keys_are_marked_for_editors_and_described() -> None:
    service = stack_schema()["$defs"]["Service"]["properties"]
    assert service["region"]["x-immutable"] is True
    assert "x-immutable" not in service["operations_email"]
    undescribed = [
        f"{section}.{name}"
        for section, part in stack_schema()["$defs"].items()
        for name, field in part.get("properties", {}).items()
        if "description" not in field and "$ref" not in field
    ]
    assert undescribed == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    application = typer.Typer()
    application.command()(schema)
    return CliRunner().invoke(application, arguments)


def test_the_command_writes_the_schema_and_then_finds_it_fresh(project: Path) -> None:
    written = run("--project", str(project))
    assert written.output == f"{SCHEMA_PATH} is written\n"
    assert (project / SCHEMA_PATH).read_text(encoding="utf-8") == schema_text()
    assert run("--project", str(project), "--check").output == f"{SCHEMA_PATH} is fresh\n"


def test_the_check_fails_for_a_stale_schema_and_leaves_it(project: Path) -> None:
    path = project / SCHEMA_PATH
    path.parent.mkdir(parents=True)
    path.write_text("{}\n", encoding="utf-8")
    result = run("--project", str(project), "--check")
    assert result.exit_code == 1
    assert "write instead: dreamseed schema" in result.output
    assert path.read_text(encoding="utf-8") == "{}\n"
