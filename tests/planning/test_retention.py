"""Retention over random histories: what fails, is late or is away never leaves a moment of the window behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.config import STAGE_NAMES, StageConfig
from dreamseed.planning.retention import Kept, Taken, expired
from tests.planning.stages import shipped

DAY = 86_400
TURN = 3_600
Expire = Callable[[Sequence[Taken], int], Kept]


@dataclass(frozen=True)
class Turn:
    """A turn of the backup's loop: how long since the last, whether a backup would succeed, and how long it takes."""

    after: int
    succeeds: bool
    lasts: int


TURNS = st.lists(
    st.builds(Turn, st.integers(TURN, 3 * DAY), st.booleans(), st.integers(1, 12 * TURN)), min_size=1, max_size=120
)
CONFIGS = st.sampled_from([shipped(stage).config for stage in STAGE_NAMES])


def histories(config: StageConfig, turns: Sequence[Turn], expire: Expire) -> Iterator[tuple[int, Kept, list[Taken]]]:
    """The time, the repository and all backups ever taken, after each turn of the loop that the template writes."""
    backup, now = config.backup, 0
    last: dict[str, int] = {}
    taken: list[Taken] = []
    kept = Kept()
    for turn in turns:
        now += turn.after
        full_due = now - last.get("full", -(10**9)) >= backup.full_every_days * DAY
        hours = backup.incremental_every_hours
        incremental_due = hours is not None and now - last.get("incr", -(10**9)) >= hours * 3_600
        if turn.succeeds and (full_due or incremental_due):
            began, now = now, now + turn.lasts
            full = began if full_due else taken[-1].full
            taken.append(Taken(began=began, ended=now, full=full))
            kept = expire([*kept.backups, taken[-1]], backup.keep_full)
            last["full" if full_due else "incr"] = now
        yield now, kept, taken


def faults(config: StageConfig, turns: Sequence[Turn], expire: Expire) -> Iterator[str]:
    for now, kept, taken in histories(config, turns, expire):
        if not taken:
            continue
        if taken[-1] not in kept.backups or not kept.restorable(now):
            yield f"at {now} the last good chain is gone"
        oldest = max(taken[0].ended, now - config.backup.wal_retention_days * DAY)
        # What decides is where a backup ends: between two of these nothing changes.
        moments = [oldest, now, *(one.ended for one in taken if oldest <= one.ended <= now)]
        for moment in moments:
            if not kept.restorable(moment):
                yield f"at {now} the moment {moment} cannot be restored"


@given(CONFIGS, TURNS)
def test_the_last_good_chain_and_every_moment_of_the_window_can_be_restored(
    config: StageConfig, turns: list[Turn]
) -> None:
    assert list(faults(config, turns, expired)) == []


def _keeps_one_less(backups: Sequence[Taken], keep_full: int) -> Kept:
    return expired(backups, keep_full - 1)


def _expires_the_log_too_far(backups: Sequence[Taken], keep_full: int) -> Kept:
    kept = expired(backups, keep_full)
    return Kept(backups=kept.backups, log_from=kept.backups[-1].began if kept.backups else None)


def _drops_a_full_that_others_build_on(backups: Sequence[Taken], keep_full: int) -> Kept:
    kept = expired(backups, keep_full)
    return Kept(backups=tuple(one for one in kept.backups if not one.is_full), log_from=kept.log_from)


STEADY = [Turn(6 * TURN, True, TURN)] * 500


@pytest.mark.parametrize(
    "mutant",
    [_keeps_one_less, _expires_the_log_too_far, _drops_a_full_that_others_build_on],
    ids=lambda one: one.__name__,
)
def test_a_retention_that_removes_too_much_is_noticed(mutant: Expire) -> None:
    config = shipped("stage-d").config
    assert list(faults(config, STEADY, expired)) == []
    assert list(faults(config, STEADY, mutant)) != []


def test_settings_that_keep_too_few_full_backups_are_noticed() -> None:
    config = shipped("stage-d").config
    few = config.model_copy(update={"backup": config.backup.model_copy(update={"keep_full": 4})})
    assert list(faults(few, STEADY, expired)) != []


def test_without_a_backup_nothing_can_be_restored() -> None:
    assert not Kept().restorable(0)
    assert expired([], 3) == Kept()
