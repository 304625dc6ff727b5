from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.config import StageConfig
from dreamseed.errors import PlanError
from dreamseed.planning.recovery import RecoveryPlan, plan_recovery
from dreamseed.planning.services.tunnel import TunnelRoute
from tests.components.builders import PRIMARY
from tests.components.declaring import changed, stage


def _plan(config: StageConfig) -> RecoveryPlan:
    plan = plan_recovery(config, PRIMARY, "stage-d")
    assert plan is not None
    return plan


@pytest.mark.parametrize("letter", ["a", "b", "c"])
def test_early_stages_have_nothing_that_stands_by(letter: str) -> None:
    assert plan_recovery(stage(letter), None, "stage-x") is None


def test_a_load_without_a_route_to_the_primary_is_refused() -> None:
    http = TunnelRoute(name="llm", hostname="llm.x", service="http://llm", local_port=None)
    for route in (None, http):
        with pytest.raises(PlanError, match="no private TCP route leads to the primary"):
            plan_recovery(stage("d"), route, "stage-d")


@pytest.mark.parametrize(
    ("hours", "line"),
    [(1, "0 * * * *"), (6, "0 */6 * * *"), (24, "0 3 * * *"), (48, "0 3 */2 * *"), (168, "0 3 */7 * *")],
)
def test_an_interval_becomes_a_line_of_the_clock(hours: int, line: str) -> None:
    assert _plan(changed(stage("d"), "disaster_recovery", refresh_hours=hours)).schedule == line


@given(st.integers(1, 800))
def test_every_interval_is_either_a_line_of_the_clock_or_refused_with_those_that_are(hours: int) -> None:
    config = changed(stage("d"), "disaster_recovery", refresh_hours=hours)
    regular = (hours < 24 and 24 % hours == 0) or (hours % 24 == 0 and hours <= 672)
    if regular:
        assert re.fullmatch(r"0 (\*|\*/\d+|3) (\*|\*/\d+) \* \*", _plan(config).schedule)
    else:
        with pytest.raises(PlanError, match="or a multiple of 24"):
            _plan(config)


def test_every_load_starts_the_instance_and_only_that_of_a_landing_place_stops_it() -> None:
    assert "trap 'policy NEVER' EXIT" in _plan(stage("d")).refresh_script
    for running in (stage("e"), changed(stage("d"), "disaster_recovery", active=True)):
        assert "policy ALWAYS" in _plan(running).refresh_script
        assert "NEVER" not in _plan(running).refresh_script


def test_the_old_copy_is_dropped_only_after_the_new_one_is_complete() -> None:
    script = _plan(stage("d")).refresh_script
    assert script.index("pg_restore --dbname dreamseed_incoming") < script.index(
        "DROP DATABASE IF EXISTS dreamseed WITH"
    )
    assert "--exit-on-error" in script
    assert "set -euo pipefail" in script


def test_a_restored_database_never_writes_to_the_archive_that_it_came_from() -> None:
    script = _plan(stage("e")).restore_script
    assert "archive_mode=off" in script
    assert script.count("--delta restore") == 1


def test_a_restore_reads_the_site_that_is_left_with_that_sites_key_alone() -> None:
    first = _plan(stage("e")).restore_script
    second = _plan(changed(stage("e"), "disaster_recovery", from_second_site=True)).restore_script
    assert ("us-west-004" in first, "eu-central-003" in first) == (True, False)
    assert ("us-west-004" in second, "eu-central-003" in second) == (False, True)
    assert "backups-second" in second
    assert ("backup_second_key=$(read_secret" in first, "backup_key=$(read_secret" in second) == (False, False)
    assert "repo1-s3-key-secret=${backup_second_key}" in second


def test_both_sites_keys_are_kept_for_a_restore_where_there_are_two() -> None:
    assert _plan(stage("d")).restore_secrets == ("backup-key-id", "backup-key", "backup-cipher")
    assert {"backup-key", "backup-second-key"} < set(_plan(stage("e")).restore_secrets)


def test_a_restore_from_a_second_site_that_the_stage_does_not_have_is_refused() -> None:
    with pytest.raises(PlanError, match="there is no second copy to restore from"):
        _plan(changed(stage("d"), "disaster_recovery", from_second_site=True))


def test_every_shard_is_restored_on_a_port_of_its_own() -> None:
    script = _plan(changed(stage("e"), "postgres", shards=3)).restore_script
    assert [f"--publish {port}:5432" in script for port in (5432, 5433, 5434)] == [True, True, True]


def test_the_scripts_hold_no_secret_and_no_marker_of_one() -> None:
    plan = _plan(stage("e"))
    for script in (plan.refresh_script, plan.restore_script):
        assert "⟦" not in script
    for variable in ("backup_key_id", "backup_key", "backup_cipher"):
        assert f"{variable}=$(read_secret" in plan.restore_script
        assert f"${{{variable}}}" in plan.restore_script


@pytest.mark.parametrize("letter", ["d", "e"])
def test_the_scripts_are_scripts(letter: str) -> None:
    plan = _plan(stage(letter))
    for script in (plan.refresh_script, plan.restore_script):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607 - whatever bash there is


def test_a_machine_for_one_core_is_rounded_up_to_what_is_sold() -> None:
    plan = _plan(changed(stage("d"), "disaster_recovery", cpu=1, memory_mib=3_840))
    assert (plan.tier, plan.restore_machine) == ("db-custom-1-3840", "n2-custom-2-3840")
