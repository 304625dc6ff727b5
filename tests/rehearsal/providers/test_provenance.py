"""A line of provenance for each fact: what counts as one, and that a fact without is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.tables import facts, provenance
from rehearsal.tables.fidelity import measure
from rehearsal.tables.provenance import check, digest, facts_in, is_default, lines_of, main, renewed, stated_by_sdk
from tests.rehearsal.providers.given import PASSWORD

Changed = dict[str, Any]
LENGTH = "ranges length"


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Changed]:
    """What the table of random says of a password beside what it says: a mutant writes in here."""
    row: Changed = json.loads(json.dumps(facts.rows_of("random")[PASSWORD]))
    rows = {**facts.rows_of("random"), PASSWORD: row}
    monkeypatch.setattr(provenance, "rows_of", lambda package: rows)
    stated_by_sdk.cache_clear()
    yield row
    stated_by_sdk.cache_clear()


def told(lines: Mapping[str, str] | None = None) -> list[str]:
    return [line.removeprefix(f"{PASSWORD} ") for line in check(PASSWORD, lines or lines_of("random")[PASSWORD]).wrong]


def test_every_fact_of_a_password_has_its_line_and_the_sdk_says_half_of_them() -> None:
    found = check(PASSWORD, lines_of("random")[PASSWORD])
    assert (found.wrong, found.unverified) == ((), ())
    assert found.facts == len(facts_in(PASSWORD)) > found.stated > 10
    assert lines_of("random")[PASSWORD]["required length"] == stated_by_sdk(PASSWORD)["required length"]


def test_a_fact_has_a_name_for_each_path_group_and_value(changed: Changed) -> None:
    changed.clear()
    changed |= {
        "replace": ["a"],
        "conflicts": [["a", "b"]],
        "defaults": {"a": 1},
        "autoname": "name",
        "notes": "no fact",
        "_source": "made up",
        "unverified": ["a"],
    }
    assert facts_in(PASSWORD) == {"replace a": None, "conflicts a b": None, "defaults a": 1, "autoname": "name"}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("replace", ["keepers", "bogus"], "replace bogus: no line says where it comes from"),
        ("conflicts", [["lower", "upper"]], "conflicts lower upper: no line says where it comes from"),
        ("ranges", {"length": [5, None]}, "ranges length: its value is another than its line was written for"),
        ("defaults", {"special": False}, "defaults special: its value is another than its line was written for"),
        ("ranges", {}, "ranges length: a line, but the table has no such fact"),
    ],
)
def test_a_mutant_fact_is_told(key: str, value: Any, words: str, changed: Changed) -> None:
    assert told() == []
    changed[key] = value
    assert words in "\n".join(told())


def test_fidelity_fails_for_a_fact_without_a_line(changed: Changed) -> None:
    used = {PASSWORD: frozenset({"length"})}
    assert measure("random", used).holds
    changed["write_only"] = ["keepers"]
    found = measure("random", used)
    assert not found.holds
    assert found.unsourced == (
        f"{PASSWORD} write_only keepers: no line says where it comes from: "
        "`python -m rehearsal.tables.provenance`, or write one by hand",
    )


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        (LENGTH, "", "no line says where it comes from"),
        (LENGTH, "source", "no digest"),
        (LENGTH, digest([1, None]), "a digest only"),
        (LENGTH, f"source; random_password.py:1; {digest([1, None])}", "in no line, not in random_password.py:1"),
        (LENGTH, f"sauce; {digest([1, None])}", "'sauce' is no reference: write source, bridge, lifecycle or a reason"),
        ("required length", "random_password.py:1", "not in random_password.py:1"),
        ("required length", "source", "not in none"),
        (LENGTH, f"the length of nothing would be no password; {digest([1, None])}", ""),
    ],
)
def test_a_line_that_gives_no_provenance_is_told(name: str, line: str, words: str) -> None:
    found = told(lines_of("random")[PASSWORD] | {name: line})
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_lines_are_written_anew_from_the_sdk_and_what_was_given_by_hand_is_kept() -> None:
    lines = lines_of("random")[PASSWORD]
    assert renewed(PASSWORD, lines) == lines
    old = {"required length": "random_password.py:1; source", LENGTH: "source", "replace gone": "source"}
    again = renewed(PASSWORD, old)
    assert again["required length"] == f"{stated_by_sdk(PASSWORD)['required length']}; source"
    assert again[LENGTH] == f"source; {digest([1, None])}"
    assert "replace gone" not in again
    # None is made up: a fact that was given none, or one for another value, stays without.
    assert "replace keepers" not in again
    assert LENGTH not in renewed(PASSWORD, {LENGTH: f"source; {digest([9, None])}"})


def test_the_command_writes_the_lines_of_a_further_type_and_lists_what_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in facts.PACKAGES:
        (tmp_path / f"{package}.json").write_text('{"_meta": {}}', encoding="utf-8")
    monkeypatch.setattr(provenance, "PROVENANCE", tmp_path)
    facts.table_of.cache_clear()
    assert main([]) == 0
    assert main([PASSWORD]) == 1
    facts.table_of.cache_clear()
    assert f"without a line: {PASSWORD} {LENGTH}\n" in capsys.readouterr().out
    assert lines_of("random")[PASSWORD] == stated_lines()


def stated_lines() -> dict[str, str]:
    values = facts_in(PASSWORD)
    return {
        name: "; ".join(filter(None, (place, digest(values[name])))) for name, place in stated_by_sdk(PASSWORD).items()
    }


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [("1", 1.0, True), ("true", True, True), ("DELETE", "DELETE", True), ("1", True, False), ("one", 1, False)],
)
def test_a_default_is_compared_with_what_the_documentation_writes(text: str, value: Any, same: bool) -> None:
    assert is_default(text, value) is same
