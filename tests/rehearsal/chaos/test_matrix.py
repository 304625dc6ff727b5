from __future__ import annotations

from collections import Counter

import pytest

from rehearsal.chaos.matrix import READING, Choice, Step, batches, kinds_for, pairs_of, steps_of
from rehearsal.providers.faults import DEADLY, Entry, Fault, FaultKind, Operation
from tests.rehearsal.providers.given import CONTAINER, PASSWORD, RECORD, SQL, VPC

STEPS = (
    Step(Operation.CREATE, "vpc", VPC),
    Step(Operation.CREATE, "database", SQL),
    Step(Operation.CREATE, "record", RECORD),
    Step(Operation.UPDATE, "vpc", VPC),
    Step(Operation.CREATE, "redis", CONTAINER),
    Step(Operation.DELETE, "redis", CONTAINER),
    Step(Operation.CREATE, "password", PASSWORD),
    Step(Operation.READ, "vpc", VPC),
    Step(Operation.READ, "password", PASSWORD),
)


def tried(choice: Choice) -> list[Fault]:
    return [fault for batch in batches(STEPS, choice) for fault in batch.faults]


def test_every_pair_is_tried_once_unless_fewer_are_asked_for() -> None:
    assert Counter(tried(Choice(seed=1))) == Counter(pairs_of(STEPS))


def test_no_batch_holds_two_faults_of_one_operation() -> None:
    for batch in batches(STEPS, Choice(seed=3)):
        operations = [(fault.operation, fault.urn) for fault in batch.faults]
        assert len(operations) == len(set(operations))


def test_the_same_seed_tries_the_same_and_another_one_does_not() -> None:
    choice = Choice(seed=1, rounds=2, deaths=3)
    assert batches(STEPS, choice) == batches(STEPS, choice)
    assert batches(STEPS, choice) != batches(STEPS, Choice(seed=2, rounds=2, deaths=3))


def test_a_sample_is_one_batch_and_as_many_deaths_as_are_asked_for() -> None:
    chosen = tried(Choice(seed=1, deaths=2, sample=4))
    assert sum(fault.kind in DEADLY for fault in chosen) == 2
    assert sum(fault.kind not in DEADLY for fault in chosen) == 4


@pytest.mark.parametrize(
    ("step", "absent"),
    [
        (STEPS[0], {FaultKind.STOCK_OUT}),
        (STEPS[1], set()),
        (STEPS[2], {FaultKind.STOCK_OUT, FaultKind.LATE_LISTING}),
        (STEPS[3], {FaultKind.HALF_MADE, FaultKind.QUOTA, FaultKind.STOCK_OUT, FaultKind.LATE_LISTING}),
        (STEPS[4], {FaultKind.QUOTA, FaultKind.STOCK_OUT, FaultKind.LATE_LISTING}),
        (STEPS[6], {FaultKind.HALF_MADE, FaultKind.QUOTA, FaultKind.STOCK_OUT, FaultKind.LATE_LISTING}),
    ],
)
def test_an_operation_meets_what_can_happen_to_it(step: Step, absent: set[FaultKind]) -> None:
    assert set(kinds_for(step)) == set(FaultKind) - absent - {FaultKind.REPORTED_GONE}


def test_a_read_fails_or_is_told_that_something_is_gone_unless_only_the_state_has_it() -> None:
    assert set(kinds_for(STEPS[7])) == READING
    assert set(kinds_for(STEPS[8])) == READING - {FaultKind.REPORTED_GONE}


def test_only_the_kinds_that_are_asked_for_are_tried() -> None:
    kinds = frozenset({FaultKind.TIMEOUT, FaultKind.ENGINE_DIES_AFTER})
    chosen = tried(Choice(seed=1, kinds=kinds))
    assert Counter(chosen) == Counter(fault for fault in pairs_of(STEPS) if fault.kind in kinds)


def test_the_order_in_which_a_run_did_its_operations_changes_nothing() -> None:
    """An engine does many at a time, so that their order differs from run to run."""
    choice = Choice(seed=1, rounds=2, deaths=3)
    assert batches(STEPS[::-1], choice) == batches(STEPS, choice)


def test_deletions_are_met_in_batches_of_their_own() -> None:
    for batch in batches(STEPS, Choice(seed=1)):
        assert len({fault.operation is Operation.DELETE for fault in batch.faults}) == 1


def test_an_operation_that_came_twice_is_one_step() -> None:
    entry = Entry(Operation.CREATE, "vpc", VPC)
    assert steps_of([entry, entry, Entry(Operation.DELETE, "vpc", VPC)]) == (
        Step(Operation.CREATE, "vpc", VPC),
        Step(Operation.DELETE, "vpc", VPC),
    )
