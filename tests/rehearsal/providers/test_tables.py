from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from rehearsal.providers.cloud.fake_cloud import RULES
from rehearsal.providers.judge.conditions import CONDITIONS
from rehearsal.providers.judge.formats import FORMATS
from rehearsal.providers.judge.notes import CHECKS
from rehearsal.providers.paths import segments
from rehearsal.tables.extract import SDKS, extract
from rehearsal.tables.facts import (
    PACKAGES,
    PROPERTIES,
    TABLES,
    UnknownTypeError,
    facts_for,
    lifecycle_for,
    tokens_with_facts,
)
from rehearsal.tables.shapes import Kind, Shape, parse_shape, resource_shape
from tests.rehearsal.providers.given import EVERY_TYPE, RUN_SERVICE

PATH_LISTS = ("required", "required_nested", "replace", "optional_computed", "computed", "secret", "write_only")
PATH_KEYS = ("replace_if", "enums", "enums_api", "patterns", "ranges", "formats", "defaults", "diff_suppress")
GROUPS = ("conflicts", "exactly_one_of", "at_least_one_of", "required_with")


def shape_at(token: str, path: str) -> Shape | None:
    shapes = resource_shape(token)
    current: Shape | None = None
    for part in segments(path):
        fields = {**shapes.inputs, **shapes.outputs} if current is None else current.fields
        current = current.element if current and part in {"[]", "*"} else fields.get(part)
        if current is None:
            return None
    return current


def paths_of(token: str) -> Iterator[str]:
    facts = facts_for(token)
    for key in PATH_LISTS:
        yield from getattr(facts, key)
    for key in PATH_KEYS:
        yield from getattr(facts, key)
    for key in GROUPS:
        for group in getattr(facts, key):
            yield from group
    for path, (other, _) in {**facts.only_when, **facts.required_when}.items():
        yield from (path, other)
    yield from lifecycle_for(token).sets
    yield from RULES[token].outputs


@pytest.mark.parametrize("token", EVERY_TYPE)
def test_every_path_of_a_table_leads_to_a_property_of_the_sdk(token: str) -> None:
    wrong = [path for path in paths_of(token) if shape_at(token, path) is None]
    assert wrong == []


@pytest.mark.parametrize("token", EVERY_TYPE)
def test_the_table_requires_what_the_sdk_requires_and_computes_what_it_computes(token: str) -> None:
    facts, shapes = facts_for(token), resource_shape(token)
    assert set(facts.required) == {name for name, shape in shapes.inputs.items() if shape.required}
    assert set(facts.computed) == set(shapes.outputs)
    not_required = [
        path for path in facts.required_nested if not (shape := shape_at(token, path)) or not shape.required
    ]
    assert not_required == []


def test_at_least_the_78_types_of_the_provider_study_have_a_table() -> None:
    assert len(EVERY_TYPE) >= 78
    assert {len(tokens_with_facts(package)) > 0 for package in PACKAGES} == {True}


def test_a_type_without_a_table_is_an_error_that_names_the_file_to_add_it_to() -> None:
    with pytest.raises(UnknownTypeError, match=r"gcp:pubsub/lite:Lite: add it to rehearsal/tables/gcp_docs\.json"):
        facts_for("gcp:pubsub/lite:Lite")


def test_every_format_condition_and_prose_check_belongs_to_a_table() -> None:
    formats = {name for token in EVERY_TYPE for name in facts_for(token).formats.values()}
    assert formats == set(FORMATS)
    assert {path for token, path in CONDITIONS if path not in facts_for(token).replace_if} == set()
    assert set(CHECKS) <= set(EVERY_TYPE)


def test_every_table_says_where_it_was_read_and_marks_what_was_not_verified() -> None:
    read = {token: facts_for(token).source for token in EVERY_TYPE}
    assert [token for token, source in read.items() if not source] == []
    for name in ("gcp_docs", "grafana"):
        table = json.loads((TABLES / f"{name}.json").read_text("utf-8"))
        assert table["_meta"]["unverified"]
        unread = {key for key in table.keys() - {"_meta"} if "/terraform-provider-" not in read[key]}
        assert [key for key in unread if not table[key].get("unverified")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_names_were_taken_from_the_sdk_that_is_installed(package: str) -> None:
    told = json.loads((PROPERTIES / f"{package}.json").read_text("utf-8"))["_meta"]["sdk"]
    assert told == f"{SDKS[package]} {version(SDKS[package])}", "run python -m rehearsal.tables.extract"


@pytest.mark.parametrize("package", ["docker", "grafana", "random"])
def test_a_fresh_extraction_gives_the_same_names(package: str) -> None:
    assert extract(package) == json.loads((PROPERTIES / f"{package}.json").read_text("utf-8"))


def test_a_shape_is_read_from_its_short_form() -> None:
    shape = parse_shape("[#cloudrunv2.ServiceTrafficArgs]!", "gcp")
    assert (shape.kind, shape.required) == (Kind.ARRAY, True)
    assert shape.element is not None
    assert shape.element.fields["percent"] == Shape(Kind.INTEGER)
    assert resource_shape(RUN_SERVICE).inputs["template"].required
