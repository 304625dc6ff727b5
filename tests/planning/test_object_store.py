from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.errors import PlanError
from dreamseed.planning.object_store import BucketRole, plan_buckets, second_site_expire_days
from tests.components.declaring import changed, stage


def test_a_lock_that_outlives_what_expiry_deletes_is_refused() -> None:
    config = changed(stage("a"), "object_store", backup_lock_days=8)
    with pytest.raises(PlanError) as refused:
        plan_buckets(config, "stage-a")
    assert refused.value.where == "stage-a › object_store › backup_lock_days"
    assert refused.value.remedy == "backup_lock_days of at most 7"


@pytest.mark.parametrize("letter", ["a", "b", "c", "d", "e"])
def test_names_are_legal_at_backblaze_and_never_move(letter: str) -> None:
    buckets = plan_buckets(stage(letter), "stage-x")
    for bucket in buckets:
        assert re.fullmatch(r"(?!b2-)[a-z0-9-]{6,63}", bucket.name)
    first = {bucket.role: bucket.name for bucket in plan_buckets(stage("a"), "stage-a")}
    assert first.items() <= {bucket.role: bucket.name for bucket in buckets}.items()


def test_a_second_region_without_a_second_site_makes_no_bucket() -> None:
    config = changed(stage("e"), "backup", second_site=False)
    assert BucketRole.BACKUPS_SECOND not in {bucket.role for bucket in plan_buckets(config, "stage-e")}


@given(keep=st.integers(1, 60), every=st.integers(1, 30), wal=st.integers(7, 400))
def test_the_second_site_hides_nothing_that_the_first_still_keeps(keep: int, every: int, wal: int) -> None:
    config = changed(stage("e"), "backup", keep_full=keep, full_every_days=every, wal_retention_days=wal)
    oldest_full_days = keep * every + every
    assert second_site_expire_days(config) >= max(oldest_full_days, wal)
