from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.tables import extract, facts
from rehearsal.tables.own import TablesError, check_own
from tests.rehearsal.testing.test_program import SHOP

SERVER = "hcloud:index/server:Server"
Table = dict[str, Any]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP / "tables", tmp_path / "tables"))


def changed(tables: Path, change: Callable[[Table], object]) -> None:
    file = tables / "hcloud.json"
    table: Table = json.loads(file.read_text(encoding="utf-8"))
    change(table)
    file.write_text(json.dumps(table), encoding="utf-8")


def test_the_tables_of_the_example_are_sound() -> None:
    check_own(SHOP / "tables")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t[SERVER].update(requierd=["name"]), r"Server › requierd: Extra inputs .*: the keys are _source, "),
        (
            lambda t: t[SERVER].update(replace=["imge"]),
            r"› replace: names 'imge', which is no input: there are",
        ),
        (lambda t: t[SERVER].update(computed=["ip"]), r"› computed: names 'ip', which is no property: there are "),
        (lambda t: t[SERVER]["made"]["outputs"].update(ip="1"), r"› made › outputs: names 'ip', which is no property"),
        (lambda t: t[SERVER].pop("made"), r"does not say how the fake cloud makes one: write for example \"made\""),
        (lambda t: t[SERVER]["made"].pop("id"), r"Server › made › id: Field required"),
        (lambda t: t[SERVER].pop("_source"), r"Server › _source: Field required"),
        (lambda t: t[SERVER].pop("properties"), r"no names and types of its properties: write `properties`, or run"),
        (
            lambda t: t[SERVER]["properties"]["inputs"].update(name="text"),
            r"› name: 'text' is no type: write one of",
        ),
        (lambda t: t[SERVER]["properties"]["inputs"].update(net="[#Net]"), r"'#Net' stands in no `objects` of _meta"),
        (lambda t: t.update({"aws:s3/bucket:Bucket": {}}), r"is no type token of this package: write hcloud:module/"),
        (lambda t: t.update(_meta={"config": {"token": "sting"}}), r"_meta › config › token: 'sting' is no type"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_place_and_the_remedy(
    tables: Path, change: Callable[[Table], object], words: str
) -> None:
    changed(tables, change)
    with pytest.raises(TablesError, match=words):
        check_own(tables)


def test_a_folder_without_tables_and_a_file_that_is_no_table_are_refused(tables: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, words in ((tmp_path / "none", "is no folder"), (tmp_path / "empty", "holds no table: write one file")):
        with pytest.raises(TablesError, match=words):
            check_own(folder)
    (tables / "hcloud.json").write_text("[]", encoding="utf-8")
    with pytest.raises(TablesError, match="is a JSON list: write an object of type tokens"):
        check_own(tables)
    (tables / "hcloud.json").write_text("{", encoding="utf-8")
    with pytest.raises(TablesError, match="is no JSON"):
        check_own(tables)


def test_a_type_of_an_installed_sdk_is_read_from_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pet = {"_source": "nowhere", "made": {"id": "{hex:8}"}, "computed": []}
    table = {"_meta": {"sdk": "pulumi-random 4"}, "random:index/randomPet:RandomPet": pet}
    (tmp_path / "random.json").write_text(json.dumps(table), encoding="utf-8")
    assert extract.main(["--tables", str(tmp_path)]) == 0
    assert "random.json: 1 types" in capsys.readouterr().out
    check_own(tmp_path)


def test_an_sdk_that_is_not_installed_is_told_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hcloud.json").write_text(json.dumps({"_meta": {"sdk": "pulumi_none"}}), encoding="utf-8")
    assert extract.main(["--tables", str(tmp_path)]) == 1
    assert "the SDK pulumi_none is not installed: pip install pulumi-none" in capsys.readouterr().err


def test_a_process_with_own_tables_knows_their_packages_and_says_where_to_add_a_type(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached: tuple[Any, ...] = (facts.own_folders, facts.packages, facts.meta_of, facts.rows_of, facts.facts_for)
    monkeypatch.setenv(facts.OWN_TABLES, str(tables))
    for function in cached:
        function.cache_clear()
    try:
        assert facts.packages() == (*facts.PACKAGES, "hcloud")
        assert facts.facts_for(SERVER).made is not None
        with pytest.raises(facts.UnknownTypeError, match=r"Network: add it to .*tables/hcloud\.json"):
            facts.facts_for("hcloud:index/network:Network")
    finally:
        monkeypatch.delenv(facts.OWN_TABLES)
        for function in cached:
            function.cache_clear()
