from __future__ import annotations

import dataclasses

import pytest

from dreamseed.config import STAGE_NAMES
from tests import ledger
from tests.program import Registered, record


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_stage_keeps_every_stateful_identity_that_the_ledger_holds(stage: str) -> None:
    assert ledger.read(), "the ledger is empty: nothing was checked"
    assert ledger.faults(stage, record(stage), ledger.read()) == []


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_new_stateful_resource_gets_a_line_in_the_ledger(stage: str) -> None:
    new = ledger.unrecorded(stage, record(stage), ledger.read())
    assert new == [], "add them to the ledger: make goldens"


def _renamed(resources: tuple[Registered, ...], old: str, new: str, aliases: tuple[str, ...] = ()) -> list[Registered]:
    return [
        dataclasses.replace(r, urn=r.urn.replace(f"::{old}", f"::{new}"), name=new, aliases=aliases)
        if r.name == old
        else r
        for r in resources
    ]


def test_a_renamed_volume_is_caught_and_the_alias_to_add_is_printed() -> None:
    faults = ledger.faults("stage-c", _renamed(record("stage-c"), "pg-1-1-data", "database-data"), ledger.read())
    assert len(faults) == 1
    assert 'add on database-data: opts=…(aliases=[pulumi.Alias(name="pg-1-1-data")])' in faults[0]


def test_a_renamed_volume_with_its_old_name_as_alias_passes() -> None:
    renamed = _renamed(record("stage-c"), "pg-1-1-data", "database-data", aliases=("pg-1-1-data",))
    assert ledger.faults("stage-c", renamed, ledger.read()) == []


def test_a_stateful_resource_that_leaves_a_later_stage_is_caught() -> None:
    without = [r for r in record("stage-e") if r.name != "redis-1-data"]
    assert any("redis-1-data" in fault for fault in ledger.faults("stage-e", without, ledger.read()))
