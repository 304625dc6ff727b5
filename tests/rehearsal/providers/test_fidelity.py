from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.providers.values import Values
from rehearsal.tables import fidelity as module
from rehearsal.tables.docstrings import Note, read_note
from rehearsal.tables.facts import TABLES, TypeFacts, facts_for
from rehearsal.tables.fidelity import Fidelity, measure, used_paths
from tests.rehearsal.providers.given import EVERY_TYPE, PASSWORD, RUN_SERVICE, STACK

SERVICE: Values = {
    "location": "us-central1",
    "template": {"containers": [{"image": "a", "envs": [{"name": "MODE"}]}], "labels": {"tier": "api"}},
    "__defaults": [],
    "name": None,
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A name.", {}),
        ("The zone. Changing this forces a new resource to be created.", {"replaces": True}),
        ("It is immutable.", {"replaces": True}),
        ("The tier. Possible values are: `FREE`, `PRO`.", {"values": {"FREE", "PRO"}}),
        ('Valid values are `"A"` or\n   `"B"`. Cannot be changed.', {"values": {"A", "B"}, "replaces": True}),
        ("The size. Defaults to `5`.", {"default": "5"}),
        ('The mode. Default value is "FAST".', {"default": "FAST"}),
        ("The share, which defaults to 0.5.", {"default": "0.5"}),
        ("It defaults to whatever the region has.", {}),
        ("This field is write-only.", {"write_only": True}),
    ],
)
def test_a_docstring_says_whether_a_change_replaces_and_which_values_there_are(text: str, said: dict[str, Any]) -> None:
    note = read_note(text)
    found = {"replaces": note.replaces, "values": set(note.values), "default": note.default}
    expected = {"replaces": False, "values": set(), "default": None, "write_only": False} | said
    assert found | {"write_only": note.write_only} == expected


def test_what_a_resource_sets_is_told_by_generic_paths() -> None:
    assert used_paths(RUN_SERVICE, SERVICE) == {
        "location",
        "template",
        "template.containers",
        "template.containers[].image",
        "template.containers[].envs",
        "template.containers[].envs[].name",
        "template.labels",
    }


@pytest.fixture(scope="module")
def grafana() -> Fidelity:
    return measure("grafana", {STACK: frozenset({"slug", "regionSlug"})})


def test_everything_used_of_a_package_has_an_entry_and_nothing_disagrees(grafana: Fidelity) -> None:
    assert grafana.holds
    assert (grafana.types, grafana.paths) == (1, 2)
    assert grafana.notes > 20


def test_a_type_or_an_input_without_an_entry_is_told() -> None:
    assert list(module._without("gcp:pubsub/lite:Lite", ["name"])) == ["gcp:pubsub/lite:Lite"]
    assert list(module._without(RUN_SERVICE, ["template.containers[].images"])) == [
        f"{RUN_SERVICE} template.containers[].images"
    ]


def test_a_table_without_a_source_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    unsourced = facts_for(STACK).model_copy(update={"source": ""})
    monkeypatch.setattr(module, "facts_for", lambda token: unsourced)
    assert list(module._without(STACK, [])) == [f"{STACK} names no source"]


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (Note(True, frozenset()), "a change replaces"),
        (Note(False, frozenset({"us", "mars"})), "the documentation names mars"),
        (Note(False, frozenset(), default="us"), "the documentation names us as the default, the table eu"),
    ],
)
def test_a_table_that_says_less_than_the_documentation_is_told(note: Note, told: str) -> None:
    row: dict[str, Any] = {"enums_api": {"tier": ["us"]}, "defaults": {"tier": "eu"}, "_source": "made up"}
    facts = TypeFacts.model_validate(row)
    [(path, why)] = module._against_notes(facts, {"tier": note})
    assert path == "tier"
    assert told in why
    more = {"enums_api": {"tier": ["us", "mars"]}, "defaults": {"tier": "us"}, "replace": ["tier"]}
    whole = TypeFacts.model_validate(row | more)
    assert list(module._against_notes(whole, {"tier": note})) == []


def test_a_table_with_other_names_than_the_sdk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = json.loads((TABLES / "properties" / "random.json").read_text("utf-8"))
    token = "random:index/randomId:RandomId"
    fresh["resources"][token]["inputs"]["prefix"] = "integer"
    monkeypatch.setattr(module, "extract", lambda package: fresh)
    assert list(module._against_names("random")) == [(token, "names, types or required inputs")]


def test_a_secret_that_the_sdk_keeps_and_the_table_does_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = frozenset({PASSWORD})
    assert list(module._against_secrets(PASSWORD, tokens)) == []
    fewer = facts_for(PASSWORD).model_copy(update={"secret": ("result", "length")})
    monkeypatch.setattr(module, "facts_for", lambda token: fewer)
    told = dict(module._against_secrets(PASSWORD, tokens))
    assert told == {
        "bcryptHash": "is secret for the installed SDK only",
        "length": "is secret for the table only",
    }


def test_an_explained_disagreement_that_is_none_any_more_is_told(
    grafana: Fidelity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert grafana.stale == ()
    monkeypatch.setattr(module, "_reasons", lambda: {(STACK, "slug"): "was wrong"})
    again = measure("grafana", {})
    assert again.stale == (f"{STACK} slug",)
    assert not again.holds


def test_every_explanation_is_about_a_type_that_has_a_table() -> None:
    rows = json.loads((TABLES / "disagreements.json").read_text("utf-8"))
    assert rows.keys() - {"_meta"} <= set(EVERY_TYPE)
