from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import Finding
from localtier.experiments import users as module
from localtier.experiments.users import Users
from localtier.load.run import LoadRun
from localtier.load.targets import USED_SECRETS, Targets, targets_of
from tests.planning.stages import shipped

B, C = shipped("stage-b"), shipped("stage-c")


class Tier:
    """A tier whose outside is entered by `enter`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def world(self, plan: StagePlan) -> Tier:
        return self

    def outside(self, command: list[str]) -> list[str]:
        return ["enter", *command]

    @contextmanager
    def engines(self, plan: StagePlan) -> Iterator[Mapping[str, str]]:
        yield {host.name: plan.name for host in plan.hosts}


@pytest.fixture
def users(tmp_path: Path) -> Users:
    tier: Any = Tier(tmp_path)
    return Users(tier=tier)


def test_the_load_is_the_same_at_every_stage_and_goes_in_from_outside(users: Users, tmp_path: Path) -> None:
    assert users.load(B) == users.load(C) == LoadRun(folder=tmp_path / "load-1", prefix=["enter"])


def test_other_users_know_nothing_of_what_these_wrote(users: Users) -> None:
    folders = [one.load(B).folder for one in (users, users.others(), users.others().others())]
    assert len(set(folders)) == 3


def test_users_are_told_of_a_stages_services_with_the_secrets_that_they_need_and_no_other(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[LoadRun, Targets, Mapping[str, str]]] = []
    monkeypatch.setattr(LoadRun, "start", lambda load, targets, secrets: started.append((load, targets, secrets)))

    def held(plan: StagePlan, engines: Mapping[str, str], only: frozenset[str]) -> dict[str, str]:
        return {name: f"{name} of {engines['server-1']}" for name in only}

    monkeypatch.setattr(module, "read_credentials", held)
    assert users.welcome(C) == users.load(C)
    secrets = {name: f"{name} of stage-c" for name in USED_SECRETS}
    assert started == [(users.load(C), targets_of(C), secrets)]


def test_users_who_leave_stop_their_own_load_and_no_other(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Path] = []
    monkeypatch.setattr(LoadRun, "stop", lambda load: stopped.append(load.folder))
    others = users.others()
    others.leave(B)
    assert stopped == [others.load(B).folder]


def test_every_load_that_was_left_behind_is_stopped_and_its_ledgers_stay(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = left_behind(tmp_path, monkeypatch)
    users.others().stop()
    assert stopped == ["load-1", "load-3"]
    assert (tmp_path / "load-3" / "chat.jsonl").exists()


def test_what_was_written_to_services_that_are_gone_is_forgotten_and_nothing_else(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = left_behind(tmp_path, monkeypatch)
    (tmp_path / "world").mkdir()
    users.forget()
    assert stopped == ["load-1", "load-3"]
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def left_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Leave ledgers of two loads in a tier's folder; return where it is told which loads are stopped."""
    stopped: list[str] = []
    monkeypatch.setattr(LoadRun, "stop", lambda load: stopped.append(load.folder.name))
    for name in ("load-1", "load-3"):
        (root / name).mkdir()
        (root / name / "chat.jsonl").touch()
    return stopped


@pytest.mark.parametrize(
    ("errors", "ok", "wrong"),
    [
        ((), True, []),
        (("it failed",), True, ["stage-b: the engine: it failed"]),
        ((), False, ["stage-b: cache: a slot is lost"]),
    ],
)
def test_a_stage_is_begun_from_nothing_and_what_is_wrong_with_it_is_told(
    users: Users, monkeypatch: pytest.MonkeyPatch, errors: tuple[str, ...], ok: bool, wrong: list[str]
) -> None:
    did: list[str] = []
    tier: Any = users.tier
    monkeypatch.setattr(Users, "forget", lambda _: did.append("forget"))
    monkeypatch.setattr(tier, "down", lambda forget: did.append(f"down {forget}"), raising=False)
    monkeypatch.setattr(tier, "plan", shipped, raising=False)
    run = SimpleNamespace(succeeded=not errors, errors=errors)

    def up(stage: str, _: object) -> SimpleNamespace:
        did.append(f"up {stage}")
        return run

    monkeypatch.setattr(tier, "up", up, raising=False)
    finding = Finding(what="cache", ok=ok, detail="a slot is lost")
    monkeypatch.setattr(tier, "check", lambda *_: [finding], raising=False)
    assert users.begin("stage-b") == wrong
    assert did == ["forget", "down True", "up stage-b"]
