"""The real engine on a small promotion under faults: what the driver tries, and what it would tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.chaos import driver as module
from rehearsal.chaos.driver import Bench, Start, Tried
from rehearsal.chaos.matrix import Batch
from rehearsal.providers.faults import Fault, FaultKind, Operation
from rehearsal.runner import Project
from rehearsal.runner.recovery import Recovery
from rehearsal.runner.resources import by_default
from rehearsal.toolchain import ensure_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("chaos")]
SAMPLE = Path(__file__).with_name("sample")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    project = Project(directory=SAMPLE, stacks=("one", "two"), passphrase="sample")
    root = tmp_path_factory.mktemp("chaos")
    return Bench(project=project, toolchain=ensure_engine(), root=root, classify=by_default)


@pytest.fixture(scope="module")
def starts(bench: Bench) -> tuple[Start, Start]:
    first, reached = bench.begin("one", None)
    return first, bench.begin("two", reached)[0]


def tried(bench: Bench, start: Start, name: str, **kinds: FaultKind) -> Tried:
    """Try one fault of each resource, which `kinds` names by its type in small letters, as `operation_type`."""
    urns = {(step.operation, step.token.rpartition(":")[2].lower()): step.urn for step in start.steps}
    faults = []
    for name_of, kind in kinds.items():
        operation, _, type_ = name_of.partition("_")
        faults.append(Fault(Operation(operation), urns[Operation(operation), type_], kind))
    return bench.try_batch(start, Batch(tuple(faults)), name)


def test_a_first_up_under_faults_ends_as_one_without(bench: Bench, starts: tuple[Start, Start]) -> None:
    found = tried(
        bench,
        starts[0],
        "first",
        create_randompassword=FaultKind.ERROR_BEFORE,
        create_secret=FaultKind.LATE_LISTING,
        create_network=FaultKind.TIMEOUT,
        create_secretversion=FaultKind.ERROR_AFTER,
        create_container=FaultKind.PROVIDER_DIES_AFTER,
    )
    assert found.wrong == ()
    assert found.not_met == ()
    assert found.runs > 1
    assert found.recoveries > 0


def test_a_promotion_under_faults_ends_as_one_without(bench: Bench, starts: tuple[Start, Start]) -> None:
    found = tried(
        bench,
        starts[1],
        "promotion",
        update_secret=FaultKind.RATE_LIMIT,
        delete_container=FaultKind.ERROR_AFTER,
        create_container=FaultKind.HALF_MADE,
        create_account=FaultKind.ENGINE_DIES_AFTER,
        create_notificationchannel=FaultKind.ERROR_AFTER,
    )
    assert found.wrong == ()
    assert found.not_met == ()


def test_without_a_recovery_a_lost_answer_is_told(
    bench: Bench, starts: tuple[Start, Start], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "recover", lambda *_, **__: Recovery((), (), ()))
    twice = tried(bench, starts[1], "twice", create_notificationchannel=FaultKind.ERROR_AFTER)
    assert any("in the cloud, but not recorded" in wrong for wrong in twice.wrong)
    taken = tried(bench, starts[1], "taken", create_account=FaultKind.ERROR_AFTER)
    assert any("failed with no fault" in wrong and "already exists" in wrong for wrong in taken.wrong)
