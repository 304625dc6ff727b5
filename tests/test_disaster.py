"""A disaster rehearsed by the real engine: `disaster_recovery.active` on and off again, in a state of D and of E."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from dreamseed.commands.failover import with_active
from dreamseed.commands.rehearse import REHEARSAL_PASSPHRASE
from dreamseed.config.load import stage_file
from rehearsal.runner import Project, Rehearsal
from rehearsal.runner.outcome import Promotion
from rehearsal.runner.resources import Action
from tests.program import PROJECT
from tests.promotions import rehearsed

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("disaster")]

STAGES = ("stage-d", "stage-e")


@cache
def disaster(stage: str) -> Rehearsal:
    """The stage, the stage while a disaster lasts, and the attempt to switch it off with every guard in place."""
    with tempfile.TemporaryDirectory(prefix="dreamseed-test-", ignore_cleanup_errors=True) as folder:
        root, project = Path(folder), Path(folder, "project")
        project.mkdir()
        for entry in PROJECT.iterdir():
            (project / entry.name).symlink_to(entry)
        text = stage_file(PROJECT, stage).read_text(encoding="utf-8")
        stacks = (stage, f"{stage}-lasting", f"{stage}-over")
        for stack, active in zip(stacks[1:], (True, False), strict=True):
            stage_file(project, stack).write_text(with_active(text, active), encoding="utf-8")
        project_of_stacks = Project(directory=project, stacks=stacks, passphrase=REHEARSAL_PASSPHRASE)
        return rehearsed(project_of_stacks, root)


def changed(promotion: Promotion, *actions: Action) -> list[str]:
    return sorted(f"{c.resource.type} {c.resource.name}" for c in promotion.changes if c.action in actions)


@pytest.mark.parametrize("stage", STAGES)
def test_a_disaster_begins_in_one_step_after_which_nothing_is_left_to_do(stage: str) -> None:
    _, begins = disaster(stage).promotions
    assert begins.second_preview_changes == 0
    created = {name.partition(" ")[0] for name in changed(begins, Action.CREATE)}
    assert {"gcp:compute/instance:Instance", "gcp:compute/disk:Disk"} <= created


@pytest.mark.parametrize("stage", STAGES)
def test_a_disaster_deletes_nothing_and_of_the_servers_replaces_only_what_tells_the_cost(stage: str) -> None:
    _, begins = disaster(stage).promotions
    assert changed(begins, Action.DELETE) == []
    # It holds the stage's rates, and a disaster has others.
    assert changed(begins, Action.REPLACE) == ["docker:index/container:Container cost-exporter"]
    assert [name for name in changed(begins, Action.CREATE, Action.UPDATE) if name.startswith("docker:")] == []
    assert {one.action for one in begins.stateful_touched} <= {Action.CREATE, Action.UPDATE}


@pytest.mark.parametrize("stage", STAGES)
def test_switching_it_off_cannot_destroy_the_database_that_was_restored(stage: str) -> None:
    [refused] = disaster(stage).failures
    assert "cannot destroy dreamseed-recovery-restore" in refused.message
    assert "without setting deletionProtection=false" in refused.message
