from __future__ import annotations

import re
from pathlib import Path

import pytest

from dreamseed.config.stage import StageConfig
from tests.config.corpus_files import CORPUS, KEYS, ROOT, Case, faults, read, shown

CASES = [read(path) for path in sorted(CORPUS.glob("*.yaml"))]
HAPPY = [case for case in CASES if case.path.name.startswith("happy.")]
ERRORS = [case for case in CASES if case.path.name.startswith("error.")]
NAME = re.compile(r"happy\.[a-z0-9-]+|error\.[a-z0-9_-]+\.[a-z0-9-]+")


def name(case: Case) -> str:
    return case.path.stem


@pytest.mark.parametrize("case", HAPPY, ids=name)
def test_a_sound_stage_file_is_read_and_planned(case: Case) -> None:
    assert faults(case) == [], "a rule refuses what it should not"


@pytest.mark.parametrize("case", ERRORS, ids=name)
def test_a_wrong_stage_file_gets_its_exact_messages(case: Case) -> None:
    found = faults(case)
    path = case.path.relative_to(ROOT)
    assert found == list(case.expect), (
        f"\nIf the new words are better, write them into {path}; this prints them:\n"
        f"  .venv/bin/python -m tests.config.corpus_files {path}\n{shown(found)}"
    )


def test_the_corpus_is_as_large_as_it_was() -> None:
    assert len(HAPPY) >= 16
    assert len(ERRORS) >= 140
    assert len(HAPPY) + len(ERRORS) == len(CASES) == len(list(CORPUS.iterdir()))


def test_every_file_has_a_name_of_the_form_and_a_text_of_its_own() -> None:
    assert [case.path.name for case in CASES if not NAME.fullmatch(case.path.stem)] == []
    texts = [(case.base, repr(case.set), case.remove) for case in CASES]
    assert len(set(texts)) == len(texts)


def test_every_message_has_all_four_parts_and_names_its_stage() -> None:
    for case in ERRORS:
        assert case.expect, f"{case.path.name} expects nothing"
        for fault in case.expect:
            assert tuple(fault) == KEYS
            assert all(fault.values()), f"{case.path.name}: a part is empty"
            assert fault["where"].startswith(f"{case.base} › ")


def test_the_field_in_a_file_name_is_where_the_fault_is() -> None:
    strays = []
    for case in ERRORS:
        section = case.path.name.split(".")[1].split("-")[0]
        if section != "stage" and not any(fault["where"].split(" › ")[1] == section for fault in case.expect):
            strays.append(case.path.name)
    assert strays == []


def test_every_section_has_a_wrong_file() -> None:
    sections = {fault["where"].split(" › ")[1] for case in ERRORS for fault in case.expect}
    assert set(StageConfig.model_fields) <= sections


def test_no_file_names_this_machine() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in CORPUS.iterdir()}
    assert [file for file, text in texts.items() if str(Path.home()) in text or str(ROOT) in text] == []
