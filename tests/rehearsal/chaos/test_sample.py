"""The real engine on a small promotion under faults: what the driver tries, and what it would tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.chaos import trials as module
from rehearsal.chaos.driver import Bench, Tried
from rehearsal.chaos.matrix import Batch
from rehearsal.chaos.trials import DestroyTrial, Start, take_off_guards
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


@pytest.fixture(scope="module")
def refresh(bench: Bench, starts: tuple[Start, Start]) -> Start:
    return bench.begin_refresh(replace(starts[1], folder=bench.root / "at-two"))


@pytest.fixture(scope="module")
def destroy(bench: Bench, starts: tuple[Start, Start]) -> Start:
    return bench.begin_destroy(replace(starts[1], folder=bench.root / "at-two"))


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


def test_a_refresh_under_faults_leaves_the_next_up_nothing_to_do(bench: Bench, refresh: Start) -> None:
    found = tried(
        bench,
        refresh,
        "refresh",
        read_secretversion=FaultKind.ERROR_BEFORE,
        read_network=FaultKind.TIMEOUT,
        read_account=FaultKind.RATE_LIMIT,
        read_notificationchannel=FaultKind.REPORTED_GONE,
        read_secret=FaultKind.REPORTED_GONE,
        read_container=FaultKind.PROVIDER_DIES_BEFORE,
        read_randompassword=FaultKind.ENGINE_DIES_BEFORE,
    )
    assert found.wrong == ()
    assert found.not_met == ()
    assert found.recoveries == 1


def test_a_refresh_that_believes_what_it_is_told_is_told(
    bench: Bench, refresh: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "restore", lambda *_: ())
    gone = {"read_notificationchannel": FaultKind.REPORTED_GONE, "read_secret": FaultKind.REPORTED_GONE}
    found = tried(bench, refresh, "believed", **gone)
    made = [wrong for wrong in found.wrong if wrong.startswith("second preview: create")]
    assert any("NotificationChannel" in wrong for wrong in made)
    assert any("secret:Secret::" in wrong for wrong in made), "the engine drops what it protects, too"
    assert any("in the cloud, but not recorded" in wrong for wrong in found.wrong)


def test_a_destroy_under_faults_ends_with_nothing(bench: Bench, destroy: Start) -> None:
    found = tried(
        bench,
        destroy,
        "destroy",
        read_container=FaultKind.ERROR_BEFORE,
        read_account=FaultKind.REPORTED_GONE,
        read_secretversion=FaultKind.ENGINE_DIES_BEFORE,
        delete_container=FaultKind.ERROR_BEFORE,
        delete_randompassword=FaultKind.ERROR_AFTER,
        delete_notificationchannel=FaultKind.TIMEOUT,
        delete_secret=FaultKind.RATE_LIMIT,
        delete_account=FaultKind.ENGINE_DIES_AFTER,
        delete_network=FaultKind.PROVIDER_DIES_AFTER,
    )
    assert found.wrong == ()
    assert found.not_met == ()
    assert destroy.objects.total() < len(destroy.steps)


def test_what_a_destroy_was_told_to_be_gone_and_left_is_told(
    bench: Bench, destroy: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "restore", lambda *_: ())
    found = tried(bench, destroy, "left", read_account=FaultKind.REPORTED_GONE)
    assert any("1 of gcp:serviceaccount/account:Account, without a fault 0" in wrong for wrong in found.wrong)


def test_a_destroy_that_deletes_what_is_protected_is_told(
    bench: Bench, destroy: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(trial: DestroyTrial, engine: Any) -> Any:
        take_off_guards(engine, trial.cloud)
        return engine.destroy(module.STACK, trial.start.stage, lambda _: None)

    monkeypatch.setattr(DestroyTrial, "_destroy", careless)
    found = tried(bench, destroy, "careless", read_network=FaultKind.REPORTED_GONE)
    assert any("protected, and deleted: gcp:secretmanager/secret:Secret" in wrong for wrong in found.wrong)
    assert "a destroy with guards in place succeeded" in found.wrong
