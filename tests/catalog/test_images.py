from __future__ import annotations

import dataclasses
import re
from datetime import date

import pytest

from dreamseed.catalog import images
from dreamseed.catalog.images import IMAGES, Image, image
from dreamseed.errors import PlanError

OWN = {"postgres", "pgbackrest_exporter", "cost_exporter", "autoscaler", "packet_filter", "wireguard"}
REFERENCE = re.compile(r"[a-z0-9.:/_-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}")


def faults(entry: Image) -> list[str]:
    """What the catalogue's rules find wrong with one image."""
    found = []
    if entry.tag in ("", "latest"):
        found.append("the tag moves")
    if entry.own != (entry.digest is None):
        found.append("only the owners' images may lack a digest")
    if entry.digest is not None and not REFERENCE.fullmatch(entry.reference):
        found.append("the reference is not pinned")
    if not entry.source or not date(2026, 1, 1) <= entry.read_on <= date(2026, 11, 26):
        found.append("source or date is missing")
    return found


@pytest.mark.parametrize("entry", IMAGES.values(), ids=IMAGES.keys())
def test_every_image_is_pinned_by_digest_with_its_source_and_date(entry: Image) -> None:
    assert faults(entry) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"tag": "latest"}, "the tag moves"),
        ({"digest": None}, "only the owners' images may lack a digest"),
        ({"digest": "0" * 63}, "the reference is not pinned"),
        ({"source": ""}, "source or date is missing"),
        ({"read_on": date(2019, 1, 1)}, "source or date is missing"),
    ],
)
def test_a_broken_entry_is_found(change: dict[str, object], fault: str) -> None:
    broken = dataclasses.replace(IMAGES["haproxy"], **change)  # type: ignore[arg-type]  # deliberately wrong
    assert fault in faults(broken)


def test_every_key_and_every_public_digest_stands_once() -> None:
    table = images._IMAGES
    keys = [entry.key for entry in table]
    digests = [entry.digest for entry in table if entry.digest is not None]
    assert len(keys) == len(set(keys)) == len(IMAGES)
    assert len(digests) == len(set(digests))


def test_only_the_owners_images_wait_for_the_stage_file() -> None:
    assert {entry.key for entry in IMAGES.values() if entry.own} == OWN


@pytest.mark.parametrize("key", sorted(OWN))
def test_an_own_image_has_no_reference_and_says_where_it_is_written(key: str) -> None:
    with pytest.raises(PlanError) as caught:
        _ = image(key).reference
    assert "postgres.image" in caught.value.remedy


def test_a_public_image_without_a_digest_says_how_to_find_it() -> None:
    unpinned = dataclasses.replace(IMAGES["haproxy"], digest=None)
    with pytest.raises(PlanError) as caught:
        _ = unpinned.reference
    assert "docker buildx imagetools inspect haproxy:3.2.21-alpine3.24" in caught.value.remedy


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PlanError) as caught:
        image("mysql")
    assert caught.value.where == "images › mysql"
    assert "haproxy" in caught.value.remedy
