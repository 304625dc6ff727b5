from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dreamseed.commands.failover import with_active
from dreamseed.config import STAGE_NAMES
from dreamseed.errors import DreamSeedError
from dreamseed.failover import Action, Direction, Step, perform, steps
from dreamseed.failover.performing import FailoverError
from dreamseed.journal import Event, JournalError, opened, read_journal
from tests.planning.stages import shipped
from tests.program import PROJECT


@dataclass
class World:
    """What steps bring about, and in which order; a step named in `breaks` does nothing."""

    true: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    breaks: str = ""
    dies_in: str = ""


@dataclass(frozen=True)
class Doing:
    world: World
    key: str

    def holds(self) -> bool:
        return self.key in self.world.true

    def do(self) -> None:
        self.world.done.append(self.key)
        if self.key != self.world.breaks:
            self.world.true.append(self.key)
        if self.key == self.world.dies_in:
            self.world.dies_in = ""
            raise KeyboardInterrupt


KNOWN = steps(shipped("stage-d"), Direction.START)
KEYS = [step.key for step in KNOWN]


def go(
    folder: Path, world: World, known: tuple[Step, ...] = KNOWN, direction: Direction = Direction.START
) -> list[str]:
    told: list[str] = []
    actions: dict[str, Action] = {step.key: Doing(world, step.key) for step in known}
    with opened(folder / "journal.jsonl", lambda: datetime(2026, 11, 26, tzinfo=UTC)) as journal:
        perform(known, actions, journal, "stage-d", direction, told.append)
    return told


def test_the_old_primary_is_fenced_before_anybody_is_sent_to_the_new_one() -> None:
    for stage in ("stage-d", "stage-e"):
        keys = [step.key for step in steps(shipped(stage), Direction.START)]
        assert keys.index("fence") < keys.index("activate") < keys.index("verify")


def test_on_the_way_back_the_new_primary_is_stopped_before_the_servers_lead() -> None:
    keys = [step.key for step in steps(shipped("stage-d"), Direction.BACK)]
    assert keys.index("follow") < keys.index("quiet") < keys.index("release") < keys.index("deactivate")


def test_the_new_primary_is_fenced_before_it_is_stopped_so_that_its_machines_next_boot_starts_a_standby() -> None:
    for stage in ("stage-d", "stage-e"):
        [quiet] = [step for step in steps(shipped(stage), Direction.BACK) if step.key == "quiet"]
        assert "standby.signal" in quiet.commands[0]
        assert quiet.commands[1].startswith("docker stop")


def test_a_fenced_primary_takes_nothing_from_the_archive() -> None:
    [fence] = [step for step in KNOWN if step.key == "fence"]
    mark = json.loads(fence.commands[0].split("'")[1])
    assert (mark["restore_command"], mark["port"]) == ("false", 5432)


@pytest.mark.parametrize("stage", STAGE_NAMES[:3])
def test_a_stage_where_nothing_stands_by_is_refused_with_what_to_do(stage: str) -> None:
    with pytest.raises(DreamSeedError, match="nowhere to fail over to"):
        steps(shipped(stage), Direction.START)


def test_every_step_is_done_once_in_its_order(tmp_path: Path) -> None:
    world = World()
    go(tmp_path, world)
    assert world.done == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_run_that_was_cut_off_in_a_step_goes_on_without_doing_it_twice(tmp_path: Path, key: str) -> None:
    world = World(dies_in=key)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, world)
    go(tmp_path, world)
    assert world.done == KEYS


def test_a_step_that_does_not_hold_ends_the_run_before_the_next_begins(tmp_path: Path) -> None:
    world = World(breaks="fence")
    with pytest.raises(FailoverError, match="goes on from this step"):
        go(tmp_path, world)
    assert world.done == ["examine", "fence"]


def test_a_fence_that_is_gone_is_put_up_again_although_the_journal_has_it(tmp_path: Path) -> None:
    world = World()
    go(tmp_path, world)
    world.true.remove("fence")
    go(tmp_path, world)
    assert world.done == [*KEYS, "fence"]


def test_the_journal_of_the_other_way_is_not_continued(tmp_path: Path) -> None:
    go(tmp_path, World())
    world = World()
    with pytest.raises(JournalError, match=r"is of direction start, stage stage-d, not of direction back"):
        go(tmp_path, world, steps(shipped("stage-d"), Direction.BACK), Direction.BACK)
    assert world.done == []


def test_a_step_is_in_the_journal_before_it_acts(tmp_path: Path) -> None:
    world = World(dies_in="fence")
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, world)
    entries = read_journal(tmp_path / "journal.jsonl")
    assert [(entry.step, entry.event) for entry in entries[-2:]] == [
        ("examine", Event.VERIFIED),
        ("fence", Event.BEGUN),
    ]


def test_an_edited_journal_skips_no_step(tmp_path: Path) -> None:
    world = World(breaks="fence")
    with pytest.raises(FailoverError):
        go(tmp_path, world)
    path = tmp_path / "journal.jsonl"
    path.write_text(
        path.read_text(encoding="utf-8").replace(f'"{Event.BEGUN}"', f'"{Event.VERIFIED}"', 1), encoding="utf-8"
    )
    with pytest.raises(JournalError, match="is not as it was written"):
        go(tmp_path, world, KNOWN[:2])
    assert world.done == ["examine", "fence"]


@pytest.mark.parametrize("stage", ["stage-d", "stage-e"])
def test_only_the_one_key_of_the_stage_file_changes_and_changes_back(stage: str) -> None:
    text = (PROJECT / f"Pulumi.{stage}.yaml").read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    active = with_active(text, True)
    before["config"]["dreamseed:stage"]["disaster_recovery"]["active"] = True
    assert yaml.safe_load(active) == before
    assert with_active(active, True) == active
    assert len(active.splitlines()) == len(text.splitlines()) + 1
    assert "active: false" in with_active(active, False)


def test_a_file_without_the_section_is_refused() -> None:
    with pytest.raises(DreamSeedError, match="is not a section of lines"):
        with_active("config:\n  dreamseed:stage:\n    backup: {}\n", True)
