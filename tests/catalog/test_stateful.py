from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamseed.catalog.stateful import STATEFUL_TYPES, VOLUME_TYPE, is_stateful

TABLES = Path(__file__).parents[2] / "rehearsal" / "tables"


def _known() -> set[str]:
    known: set[str] = set()
    for file in TABLES.glob("*.json"):
        known |= {token for token in json.loads(file.read_text(encoding="utf-8")) if ":" in token}
    return known


@pytest.mark.parametrize("token", sorted(STATEFUL_TYPES))
def test_a_stateful_type_is_a_type_and_says_why(token: str) -> None:
    # A mistyped token would protect nothing.
    assert token in _known() or token == "pulumi-python:dynamic/b2:Bucket"
    assert len(STATEFUL_TYPES[token].split()) >= 4


@pytest.mark.parametrize(
    ("labels", "stateful"),
    [
        ([{"label": "kind", "value": "data"}], True),
        ([{"label": "managed-by", "value": "dreamseed"}, {"label": "kind", "value": "data"}], True),
        ([{"label": "kind", "value": "cache"}], False),
        ([{"label": "data", "value": "kind"}], False),
        ([], False),
    ],
)
def test_of_volumes_only_those_labelled_as_data_are_stateful(labels: list[dict[str, str]], stateful: bool) -> None:
    assert is_stateful(VOLUME_TYPE, {"labels": labels}) is stateful


def test_a_volume_without_labels_and_a_container_are_not_stateful() -> None:
    assert not is_stateful(VOLUME_TYPE, {})
    assert not is_stateful("docker:index/container:Container", {"labels": [{"label": "kind", "value": "data"}]})
