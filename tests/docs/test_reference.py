from __future__ import annotations

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed.cli import build
from dreamseed.config import STAGE_NAMES
from dreamseed.reference.components import described
from dreamseed.reference.files import pages
from dreamseed.reference.stage_file import stage_file_reference
from tests.config.corpus_files import overlay

PROJECT = Path(__file__).parents[2]
REMEDY = "the code says something else now: .venv/bin/dreamseed reference"


def test_the_generated_pages_say_what_the_code_says() -> None:
    for path, text in pages(PROJECT, build()).items():
        assert (PROJECT / path).is_file(), f"{path} is absent. {REMEDY}"
        assert (PROJECT / path).read_text(encoding="utf-8") == text, f"{path} is stale. {REMEDY}"


NAMELESS = {"gpus", "capacity", "pgbouncer", "burst", "topics", "vpn", "witness", "guardrails", "mail"} | {
    *("low", "expected", "high")
}
"""Sections whose keys are listed one by one, and the figures of a range, which is listed as one key."""


def _keys(value: object, path: tuple[str, ...] = ()) -> set[str]:
    """Return the last part of every key that stands in a stage file, names of servers left out."""
    if not isinstance(value, dict):
        return set()
    found = set() if path == ("servers",) else {str(key) for key in value}
    return found.union(*(_keys(inner, (*path, key)) for key, inner in value.items() if key != "placement"))


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_key_of_the_shipped_stage_files_is_explained(stage: str) -> None:
    page = stage_file_reference()
    for part in overlay(stage):
        sections = set(part)
        for key in _keys(part) - NAMELESS:
            assert f"`{key}`" in page or f".{key}`" in page, key
        assert all(f"## `{section}`" in page for section in sections)


def test_every_immutable_key_is_marked() -> None:
    page = stage_file_reference()
    assert "| `gcp_project` | a Google Cloud project id |  | yes |" in page
    assert page.count("| yes |") == _immutable_fields()


def _immutable_fields() -> int:
    """Return how many fields of sections are declared with `immutable(…)`."""
    calls = 0
    for path in sorted((PROJECT / "dreamseed/config").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
                calls += isinstance(node.value.func, ast.Name) and node.value.func.id == "immutable"
    return calls


def test_every_component_of_the_program_is_described_with_its_outputs() -> None:
    found = {component.name: component for component in described(PROJECT)}
    assert {"VllmFleet", "PostgresCluster", "ApiService", "ObjectStore"} <= found.keys()
    assert all(component.text and component.token.startswith("dreamseed:") for component in found.values())
    assert ("zone_id", "pulumi.Output[str]") in {(name, kind) for name, kind, _ in found["EdgeZone"].outputs}


def test_a_stale_page_fails_the_check_with_the_command_that_writes_it(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", *(f"Pulumi.{stage}.yaml" for stage in STAGE_NAMES)):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    (tmp_path / "components").mkdir()
    (tmp_path / "components/edge.py").write_bytes((PROJECT / "components/edge.py").read_bytes())
    run = CliRunner().invoke
    assert run(build(), ["reference", "--project", str(tmp_path)]).exit_code == 0
    assert run(build(), ["reference", "--check", "--project", str(tmp_path)]).exit_code == 0
    page = tmp_path / "docs/reference/components.md"
    page.write_text(page.read_text(encoding="utf-8").replace("EdgeZone", "Edge"), encoding="utf-8")
    stale = run(build(), ["reference", "--check", "--project", str(tmp_path)])
    assert stale.exit_code == 1
    assert "dreamseed reference" in stale.output


def test_models_are_described_so_that_the_page_has_no_empty_meaning() -> None:
    assert "|  |\n" not in stage_file_reference().replace("| unit | immutable |", "")
