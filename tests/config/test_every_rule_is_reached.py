"""Every rule of the configuration must be broken by a file of the corpus, or nobody knows that it works.

A rule is a place in the source that calls `refuse`; the annotations of texts share one such place, so each of them
counts by itself.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest

from dreamseed import config
from dreamseed.config import cloud, compute, data, keys, operations, service, stage, types, usage
from dreamseed.config.types import Text
from dreamseed.errors import ConfigErrors
from tests.config.corpus_files import CORPUS, Case, parse, read

MODULES = (cloud, compute, data, keys, operations, service, stage, types, usage)
SOURCES = Path(inspect.getfile(config)).parent

Rule = tuple[str, str]


def written() -> dict[Rule, range]:
    """Every call of `refuse`: file and first line, with the lines it spans."""
    rules = {}
    for path in sorted(SOURCES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse":
                rules[path.name, f"line {node.lineno}"] = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return rules


def texts() -> set[Rule]:
    """Every annotation of a text, by what it calls a right one."""
    metadata = (item for alias in vars(types).values() for item in get_args(alias))
    return {("types.py", item.what) for item in metadata if isinstance(item, Text)}


def reached(cases: Iterable[Case], monkeypatch: pytest.MonkeyPatch) -> set[Rule]:
    """The rules that reading `cases` breaks."""
    rules = written()
    found: set[Rule] = set()

    def recording(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)
        file = Path(frame.f_code.co_filename).name
        found.update(rule for rule, lines in rules.items() if rule[0] == file and frame.f_lineno in lines)
        if isinstance(frame.f_locals.get("self"), Text):
            found.add((file, frame.f_locals["self"].what))
        return types_refuse(*args, **kwargs)

    types_refuse = types.refuse
    for module in MODULES:
        monkeypatch.setattr(module, "refuse", recording)
    for case in cases:
        with suppress(ConfigErrors):
            parse(case)
    return found


def errors(without: str | None = None) -> list[Case]:
    paths = sorted(CORPUS.glob("error.*.yaml"))
    return [read(path) for path in paths if without is None or without not in path.name]


def test_every_rule_is_broken_by_a_file_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    unreached = (set(written()) | texts()) - reached(errors(), monkeypatch)
    assert unreached == set(), "add a file error.<field>.<why>.yaml for each of these to tests/config/corpus"


@pytest.mark.parametrize("file", ["replication_factor.above-brokers", "backup-second_site", "bucket_prefix"])
def test_a_rule_whose_file_is_gone_is_noticed(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    remaining = errors(without=file)
    assert len(remaining) == len(errors()) - 1
    assert len((set(written()) | texts()) - reached(remaining, monkeypatch)) == 1


def test_no_module_of_the_configuration_refuses_unwatched() -> None:
    watched = {Path(inspect.getfile(module)).name for module in MODULES}
    assert {file for file, _ in written()} == watched
    assert len(written()) >= 29
    assert len(texts()) >= 14
