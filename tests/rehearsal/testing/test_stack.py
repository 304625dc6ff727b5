"""The library as a test of another project uses it, with the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from rehearsal.testing import UNKNOWN, Outcome, RehearsalFailedError, Stack
from rehearsal.toolchain import ensure_engine
from tests.rehearsal.testing.test_program import SHOP

VOLUME = "hcloud:index/volume:Volume"


def one_volume() -> None:
    """A program that is a function: one volume, in a place that the cloud chooses, with a token kept secret."""
    size = pulumi.Config().require_int("gigabytes")
    disk = pulumi.CustomResource(VOLUME, "disk", {"name": "disk", "size": size, "location": None})
    pulumi.export("place", pulumi.get(disk, "location"))
    pulumi.export("token", pulumi.Output.secret("hunter2-of-the-library"))


def of_another_package() -> None:
    """A program of which no table knows the package."""
    pulumi.CustomResource("nowhere:index/thing:Thing", "thing", {})


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Stack]:
    """The stack of `one_volume`, with the tables of the example."""
    with Stack.of(
        one_volume, toolchain=ensure_engine(), root=tmp_path, config={"gigabytes": 10}, tables=SHOP / "tables"
    ) as stack:
        yield stack


@pytest.mark.engine
def test_a_stack_is_brought_up_changed_behind_its_back_refreshed_and_destroyed(volume: Stack) -> None:
    previewed = volume.preview()
    assert (previewed.counts, previewed.outputs["place"]) == ({"create": 1}, UNKNOWN)
    up = volume.up()
    assert up.outputs["place"] == "nbg1"
    assert "hunter2" not in "".join(map(str, up.events))
    assert up.resources["disk"].outputs["size"] == 10
    assert [event["sequence"] for event in up.events] == list(range(len(up.events)))

    [disk] = volume.cloud.list(VOLUME)
    volume.cloud.edit(VOLUME, disk.id, {"size": 99})
    drifted = up.refresh()
    assert [(step.resource.name, str(step.action)) for step in drifted.steps] == [("disk", "update")]
    assert drifted.preview().counts == {"update": 1}
    assert drifted.destroy().counts == {"delete": 1}
    assert volume.cloud.list(VOLUME) == []


@pytest.mark.engine
def test_a_refused_promotion_raises_in_the_providers_words_and_the_state_stays(volume: Stack) -> None:
    up = volume.up()
    with pytest.raises(TypeError, match="name a `stack`, a `config` or a `program`"):
        up.promote()
    with pytest.raises(RehearsalFailedError, match=r"promotion of one-volume failed:\n(.*\n)*.*disk.*") as refused:
        up.promote(config={"gigabytes": 5})
    told: Outcome = refused.value.outcome
    assert not told.succeeded
    assert any(diagnostic.severity == "error" for diagnostic in told.diagnostics)
    assert [found.outputs["size"] for found in volume.cloud.list(VOLUME)] == [10]


@pytest.mark.engine
def test_a_package_without_a_table_is_told_with_the_file_to_write(tmp_path: Path) -> None:
    with Stack.of(of_another_package, toolchain=ensure_engine(), root=tmp_path) as stack:
        refused = stack.preview(check=False)
    assert not refused.succeeded
    assert "no table describes the package nowhere: write" in "\n".join(refused.errors)
    assert "nowhere.json" in "\n".join(refused.errors)
