from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.planning.objectives import START_SECONDS, WEEKLY_COPY_SECONDS, objectives
from tests.components.declaring import changed, stage


def test_the_rpo_is_the_archive_timeout_and_two_pushes_and_a_second_site_adds_its_copy() -> None:
    assert objectives(stage("b")).rpo_seconds == 300 + 240
    assert objectives(stage("b")).second_site_rpo_seconds is None
    assert objectives(stage("e")).second_site_rpo_seconds == 300 + 240 + 120


def test_a_stage_that_ships_no_log_loses_up_to_a_week() -> None:
    assert objectives(stage("a")).rpo_seconds == WEEKLY_COPY_SECONDS
    assert objectives(stage("a")).replayed_gb == 0


def test_the_rto_is_the_start_and_the_database_and_the_log_at_the_speed_of_the_restore() -> None:
    config = stage("d")
    # 150 GiB, and 72 segments of 16 MiB between two incremental backups six hours apart.
    megabytes = 150 * 1_073.741824 + 72 * 16.777216
    assert objectives(config).rto_seconds == round(START_SECONDS + megabytes / 40)
    assert objectives(config, 80.0).rto_seconds == round(START_SECONDS + megabytes / 80)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_faster_restore_never_takes_longer(one: int, other: int) -> None:
    slow, fast = sorted((one, other))
    config = stage("e")
    assert objectives(config, fast).rto_seconds <= objectives(config, slow).rto_seconds


@pytest.mark.parametrize("hours", [None, 1, 24])
def test_the_more_often_a_backup_is_taken_the_less_log_is_replayed(hours: int | None) -> None:
    every = objectives(changed(stage("c"), "backup", incremental_every_hours=hours)).replayed_gb
    assert every == pytest.approx((hours or 7 * 24) * 12 * 16.777216 / 1_000)
