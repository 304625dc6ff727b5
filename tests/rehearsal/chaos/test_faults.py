from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.providers import faults as module
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.faults import (
    MADE_UP,
    REFUSED_IN_A_ROW,
    RUN,
    Fault,
    FaultKind,
    Faults,
    FaultyCloud,
    Operation,
    journal,
    write_plan,
)
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import HalfMadeError, RefusedError, Subject
from tests.rehearsal.providers.given import VPC, subject

Make = Callable[[str], object]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    made = FakeCloud(tmp_path)
    yield made
    made.close()


def creation(name: str, kind: FaultKind) -> Fault:
    return Fault(Operation.CREATE, subject(VPC, name).urn, kind)


def maker(cloud: FakeCloud, tmp_path: Path, *planned: Fault) -> tuple[FaultyCloud, Faults, Make]:
    write_plan(tmp_path, planned)
    faults = Faults(tmp_path)
    faulty = FaultyCloud(cloud, faults)

    def make(name: str) -> object:
        thing = subject(VPC, name)
        inputs = {"name": name}
        return faulty.create(thing, inputs, TableJudge().plan_create(thing, inputs))

    return faulty, faults, make


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        (FaultKind.ERROR_BEFORE, 0),
        (FaultKind.ERROR_AFTER, 1),
        (FaultKind.TIMEOUT, 1),
        (FaultKind.RATE_LIMIT, 0),
        (FaultKind.QUOTA, 0),
        (FaultKind.STOCK_OUT, 0),
        (FaultKind.LATE_LISTING, 1),
    ],
)
def test_a_fault_meets_its_operation_once_and_leaves_what_it_says(
    cloud: FakeCloud, tmp_path: Path, kind: FaultKind, there: int
) -> None:
    _, faults, make = maker(cloud, tmp_path, creation("one", kind))
    with pytest.raises(RefusedError, match=MADE_UP) as refused:
        make("one")
    faults.close()
    assert refused.value.kind is RefusedError.Kind.UNAVAILABLE
    assert len(cloud.list(VPC)) == there
    if there:
        with pytest.raises(RefusedError, match="already exists"):
            make("one")


def test_what_is_half_made_is_told_and_kept(cloud: FakeCloud, tmp_path: Path) -> None:
    _, _, make = maker(cloud, tmp_path, creation("one", FaultKind.HALF_MADE))
    with pytest.raises(HalfMadeError) as half:
        make("one")
    assert [found.id for found in cloud.list(VPC)] == [half.value.found.id]


def test_a_limit_refuses_others_too_until_it_is_over_or_the_next_run_begins(cloud: FakeCloud, tmp_path: Path) -> None:
    _, _, make = maker(cloud, tmp_path, creation("one", FaultKind.RATE_LIMIT))
    for name in ("one", *(f"other-{number}" for number in range(1, REFUSED_IN_A_ROW))):
        with pytest.raises(RefusedError, match="429"):
            make(name)
    make("after")
    _, _, make = maker(cloud, tmp_path, creation("two", FaultKind.QUOTA))
    with pytest.raises(RefusedError, match="quota"):
        make("two")
    (tmp_path / RUN).write_text("1", encoding="utf-8")
    make("two")


def test_a_late_listing_shows_the_object_after_a_while(cloud: FakeCloud, tmp_path: Path) -> None:
    faulty, _, make = maker(cloud, tmp_path, creation("one", FaultKind.LATE_LISTING))
    with pytest.raises(RefusedError):
        make("one")
    id_ = cloud.list(VPC)[0].id
    seen = [faulty.read(subject(VPC, "one"), id_, {}, {}) is not None for _ in range(3)]
    assert seen == [False, False, True]


def test_a_process_that_was_killed_goes_on_where_it_was(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    (tmp_path / module.ENGINE).write_text("4711", encoding="utf-8")
    planned = (
        creation("one", FaultKind.ENGINE_DIES_AFTER),
        Fault(Operation.DELETE, subject(VPC, "one").urn, FaultKind.ERROR_BEFORE),
    )
    _, _, make = maker(cloud, tmp_path, *planned)
    with pytest.raises(RefusedError, match="gone"):
        make("one")
    assert killed == [(4711, signal.SIGKILL)]
    assert len(cloud.list(VPC)) == 1
    restarted = FaultyCloud(cloud, Faults(tmp_path))
    thing, found = subject(VPC, "one"), cloud.list(VPC)[0]
    restarted.update(thing, found.id, found.inputs, found.outputs)
    with pytest.raises(RefusedError, match="503"):
        restarted.delete(thing, found.id, found.outputs)
    restarted.delete(thing, found.id, found.outputs)
    assert cloud.list(VPC) == []
    assert [(entry.operation, entry.kind) for entry in journal(tmp_path)] == [
        (Operation.CREATE, FaultKind.ENGINE_DIES_AFTER),
        (Operation.UPDATE, None),
        (Operation.DELETE, FaultKind.ERROR_BEFORE),
        (Operation.DELETE, None),
    ]


def test_the_provider_s_own_death_is_written_down_first(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / module.ENGINE).write_text("4711", encoding="utf-8")
    told: list[FaultKind | None] = []
    monkeypatch.setattr(os, "kill", lambda *_: told.extend(entry.kind for entry in journal(tmp_path)))
    _, _, make = maker(cloud, tmp_path, creation("one", FaultKind.PROVIDER_DIES_BEFORE))
    with pytest.raises(RefusedError):
        make("one")
    assert set(told) == {FaultKind.PROVIDER_DIES_BEFORE}
    assert cloud.list(VPC) == []


def test_what_no_fault_names_is_done_and_written_down(cloud: FakeCloud, tmp_path: Path) -> None:
    _, _, make = maker(cloud, tmp_path)
    make("one")
    other: Subject = subject(VPC, "one")
    assert [(entry.urn, entry.kind) for entry in journal(tmp_path)] == [(other.urn, None)]


def test_a_read_is_told_once_that_the_object_is_gone(cloud: FakeCloud, tmp_path: Path) -> None:
    thing = subject(VPC, "one")
    faulty, _, make = maker(cloud, tmp_path, Fault(Operation.READ, thing.urn, FaultKind.REPORTED_GONE))
    make("one")
    id_ = cloud.list(VPC)[0].id
    assert [faulty.read(thing, id_, {}, {}) is not None for _ in range(2)] == [False, True]
    assert [(entry.operation, entry.kind) for entry in journal(tmp_path)][1:] == [
        (Operation.READ, FaultKind.REPORTED_GONE),
        (Operation.READ, None),
    ]


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.TIMEOUT, FaultKind.RATE_LIMIT])
def test_a_read_that_fails_says_so_and_changes_nothing(cloud: FakeCloud, tmp_path: Path, kind: FaultKind) -> None:
    thing = subject(VPC, "one")
    faulty, faults, make = maker(cloud, tmp_path, Fault(Operation.READ, thing.urn, kind))
    make("one")
    before = cloud.list(VPC)
    with pytest.raises(RefusedError, match=MADE_UP):
        faulty.read(thing, before[0].id, {}, {})
    faults.close()
    assert cloud.list(VPC) == before
