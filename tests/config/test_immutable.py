from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dreamseed.config import STAGE_NAMES, StageConfig, load_stage, merge, parse_stage, stage_file
from dreamseed.config import immutable as rules
from dreamseed.config.immutable import changed_immutables
from dreamseed.config.types import IMMUTABLE_KEY
from tests.config.corpus_files import overlay

ROOT = Path(__file__).resolve().parents[2]


def stage(name: str) -> StageConfig:
    return load_stage(stage_file(ROOT, name))


def changed(name: str, change: Mapping[str, Any]) -> StageConfig:
    """The shipped stage `name` with `change` laid over it."""
    shared, shipped = overlay(name)
    return parse_stage(shared, merge(shipped, change), name)


def moved() -> StageConfig:
    place = {"region": "europe-west1", "zone": "europe-west1-b"}
    return changed("stage-d", {"service": place, "vllm": {"burst": {"zones": ["europe-west1-b"]}}})


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(STAGE_NAMES)))
def test_no_shipped_promotion_changes_what_must_stay(lower: str, upper: str) -> None:
    assert changed_immutables(stage(lower), stage(upper)) == ()


def test_a_moved_region_is_refused_with_place_reason_and_remedy() -> None:
    region, zone = changed_immutables(stage("stage-c"), moved())
    assert region.where == "stage-d › service › region"
    assert region.what == "changes from us-central1 to europe-west1"
    assert region.why == (
        "Google Cloud region of every regional resource: it never changes once a stage is up, since the resource "
        "would be replaced with all that it holds"
    )
    assert region.remedy == (
        "us-central1; a real move is a migration of its own, with a new resource beside the old one"
    )
    assert zone.where == "stage-d › service › zone"


def test_a_region_that_is_no_longer_marked_would_pass_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_is_immutable", lambda field: False)
    assert changed_immutables(stage("stage-c"), moved()) == ()


def test_a_server_that_is_gone_is_refused_and_an_added_one_is_not() -> None:
    two, one = stage("stage-e"), stage("stage-d")
    assert changed_immutables(one, two) == ()
    places = [error.where for error in changed_immutables(two, one)]
    assert "stage-d › servers › server-2" in places


def test_a_witness_that_is_gone_is_refused() -> None:
    places = [error.where for error in changed_immutables(stage("stage-e"), stage("stage-d"))]
    assert "stage-d › network › witness" in places


def test_a_server_with_another_address_is_refused() -> None:
    readdressed = changed("stage-c", {"servers": {"server-1": {"private_address": "10.20.0.99"}}})
    (error,) = changed_immutables(stage("stage-b"), readdressed)
    assert error.where == "stage-c › servers › server-1 › private_address"
    assert error.what == "changes from 10.20.0.11 to 10.20.0.99"


def test_what_may_grow_is_not_reported() -> None:
    grown = changed("stage-c", {"api": {"max_instances": 20}, "kafka": {"brokers": 4}})
    assert changed_immutables(stage("stage-c"), grown) == ()


def marked(section: BaseModel) -> Iterator[tuple[str, ...]]:
    """The path of every immutable value of `section`."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(field.json_schema_extra, Mapping) and field.json_schema_extra.get(IMMUTABLE_KEY):
            yield (name,)
        named = value if isinstance(value, Mapping) else {}
        inner = {(name,): value} if isinstance(value, BaseModel) else {(name, key): part for key, part in named.items()}
        for path, part in inner.items():
            if isinstance(part, BaseModel):
                yield from ((*path, *rest) for rest in marked(part))


def replaced(section: Any, path: tuple[str, ...]) -> Any:
    """`section` with another value at `path`."""
    key, *rest = path
    before = section[key] if isinstance(section, Mapping) else getattr(section, key)
    after = replaced(before, tuple(rest)) if rest else "another value"
    return {**section, key: after} if isinstance(section, Mapping) else section.model_copy(update={key: after})


@pytest.mark.parametrize("path", list(marked(stage("stage-e"))), ids=" › ".join)
def test_every_marked_value_is_compared(path: tuple[str, ...]) -> None:
    (error,) = changed_immutables(stage("stage-e"), replaced(stage("stage-e"), path))
    assert error.where == " › ".join(("stage-e", *path))
    assert error.what.endswith("to another value")


def test_names_regions_zone_and_addresses_are_marked() -> None:
    paths = set(marked(stage("stage-e")))
    assert {("service", "region"), ("service", "zone"), ("service", "name"), ("postgres", "database")} <= paths
    assert {("servers", "server-2", "private_address"), ("network", "witness", "address")} <= paths
