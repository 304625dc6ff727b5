from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.facts.measures import Measure

CSV = "measure,day,value,source\nsign_ups,2026-11-25,1200,product database\nsign_ups,2026-10-28,600,product database\n"
AT = "2026-11-26T12:00+09:00"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(["facts", "gate", "approve", "promote"]), [*arguments])


@pytest.fixture
def store(tmp_path: Path) -> str:
    file, path = tmp_path / "facts.csv", str(tmp_path / "facts.sqlite")
    file.write_text(CSV)
    imported = run("facts", "import", str(file), "--store", path)
    assert (imported.exit_code, imported.output) == (0, f"{file}: 2 facts, 2 new rows\n")
    return path


def test_imported_again_the_same_file_adds_nothing(store: str, tmp_path: Path) -> None:
    again = run("facts", "import", str(tmp_path / "facts.csv"), "--store", store)
    assert again.output.endswith("2 facts, 0 new rows\n")
    assert "2 rows as they were written" in run("facts", "check", "--store", store).output


def test_every_measure_is_explained() -> None:
    lines = run("facts", "measures").output.splitlines()
    assert [line.split()[0] for line in lines] == list(Measure)
    assert all(len(line.split()) > 2 for line in lines)


def test_a_gate_with_unknown_lines_exits_with_one_and_says_what_is_missing(store: str) -> None:
    found = run("gate", "stage-a", "--store", store, "--at", AT)
    assert found.exit_code == 1
    assert "Unknown is not pass." in found.output
    assert "Gate A → B: unknown, as of 2026-11-25" in found.output


def test_a_gate_for_machines_has_its_digest_and_the_timing(store: str) -> None:
    (found,) = json.loads(run("gate", "stage-b", "--json", "--store", store, "--at", AT).output)
    assert (found["from"], found["to"], found["verdict"]) == ("B", "C", "fail")
    assert found["digest"].startswith("sha256:")
    # Doubled in four weeks: from 1,200 to 10,000 it takes log2(10000 / 1200) times as long.
    assert (found["timing"]["weeks"], found["timing"]["expected_on"]) == (12.2, "2027-02-19")
    assert (found["timing"]["order"], found["timing"]["order_by"]) == ("1 GPU, memory 64 → 128 GiB", "2027-01-20")


def test_a_gate_is_written_as_markdown_too(store: str, tmp_path: Path) -> None:
    path = tmp_path / "gate.md"
    run("gate", "stage-a", "--markdown", str(path), "--store", store, "--at", AT)
    text = path.read_text()
    assert text.startswith("# Gate A → B: unknown")
    assert "| **unknown** | sign-ups above 1,000, 7 days in a row (trigger) |" in text


def test_without_a_stage_all_four_gates_are_printed_and_down_there_are_four_too(store: str) -> None:
    for arguments, gates in (
        ((), ["A → B", "B → C", "C → D", "D → E"]),
        (("--down",), ["B → A", "C → B", "D → C", "E → D"]),
    ):
        found = json.loads(run("gate", "--json", "--store", store, "--at", AT, *arguments).output)
        assert [f"{one['from']} → {one['to']}" for one in found] == gates


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gate", "stage-x"), "there is no stage 'stage-x'"),
        (("gate", "stage-e"), "is the last stage"),
        (("gate", "stage-a", "--down"), "is the first stage"),
        (("gate", "--at", "yesterday"), "is no moment"),
        (("gate", "--at", "2026-11-26T12:00"), "has no zone"),
        (("facts", "collect", "--stage", "b", "--prometheus", "http://p"), "there is no stage 'b'"),
        (("approve", "prepare", "--to", "stage-a", "--plan", "p"), "is no stage to go to"),
        (("approve", "sign", "1", "--as", "ceo", "--key", "k"), "there is no role 'ceo'"),
        (("approve", "sign", "1", "--as", "cto", "--key", "k"), "there is no approval 1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert words in refused.output
