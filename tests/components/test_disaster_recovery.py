from __future__ import annotations

from typing import Any

import pytest

from tests.components.builders import declare_recovery
from tests.components.declaring import Declared, changed, stage


def _settings(declared: Declared) -> dict[str, Any]:
    settings: dict[str, Any] = declared.one("DatabaseInstance").inputs["settings"]
    return settings


def test_a_landing_place_stands_in_one_zone_and_a_standby_in_two() -> None:
    assert _settings(declare_recovery(stage("d")))["availabilityType"] == "ZONAL"
    standby = _settings(declare_recovery(stage("e")))
    assert standby["availabilityType"] == "REGIONAL"
    # Cloud SQL refuses HA without both.
    assert standby["backupConfiguration"]["enabled"] is True
    assert standby["backupConfiguration"]["pointInTimeRecoveryEnabled"] is True


def test_an_instance_is_never_declared_stopped_since_google_cannot_create_one() -> None:
    active = changed(stage("d"), "disaster_recovery", active=True)
    for config in (stage("d"), stage("e"), active):
        assert _settings(declare_recovery(config))["activationPolicy"] == "ALWAYS"
    assert _settings(declare_recovery(active))["backupConfiguration"]["enabled"] is True


def test_the_program_leaves_a_landing_place_as_its_load_left_it_until_it_must_run() -> None:
    left_alone = "settings.activationPolicy"
    active = changed(stage("d"), "disaster_recovery", active=True)
    assert left_alone in declare_recovery(stage("d")).one("DatabaseInstance").ignored
    assert left_alone not in declare_recovery(active).one("DatabaseInstance").ignored
    assert left_alone not in declare_recovery(stage("e")).one("DatabaseInstance").ignored


def test_from_landing_to_standby_nothing_changes_that_would_replace_the_instance() -> None:
    landing = declare_recovery(stage("d")).one("DatabaseInstance").inputs
    standby = declare_recovery(stage("e")).one("DatabaseInstance").inputs
    for key in ("name", "region", "project", "databaseVersion"):
        assert landing[key] == standby[key]
    assert landing["name"] == "dreamseed-recovery-0a1b2c3d"
    assert landing["settings"]["ipConfiguration"] == standby["settings"]["ipConfiguration"]


@pytest.mark.parametrize("letter", ["d", "e"])
def test_the_instance_is_private_encrypted_and_protected_twice(letter: str) -> None:
    instance = declare_recovery(stage(letter)).one("DatabaseInstance").inputs
    assert instance["deletionProtection"] is True
    assert instance["settings"]["deletionProtectionEnabled"] is True
    assert instance["settings"]["ipConfiguration"]["ipv4Enabled"] is False
    assert instance["settings"]["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
    # Left out, PostgreSQL 16 and later would become ENTERPRISE_PLUS, which refuses custom machines.
    assert instance["settings"]["edition"] == "ENTERPRISE"
    assert instance["settings"]["tier"] == "db-custom-2-7680"


def test_the_load_runs_by_the_clock_in_the_services_own_time_zone() -> None:
    declared = declare_recovery(stage("d"))
    clock = next(job for job in declared.all("Job") if job.type == "gcp:cloudscheduler/job:Job").inputs
    assert (clock["schedule"], clock["timeZone"]) == ("0 3 * * *", "Asia/Seoul")
    assert clock["httpTarget"]["uri"].endswith("/jobs/dreamseed-recovery-refresh:run")
    assert "oauthToken" in clock["httpTarget"]


def test_the_loads_account_may_start_and_stop_cloud_sql_and_nothing_else_in_the_project() -> None:
    declared = declare_recovery(stage("d"))
    role = declared.one("IAMCustomRole").inputs
    assert role["permissions"] == ["cloudsql.instances.get", "cloudsql.instances.update"]
    grants = [each for each in declared.resources if each.type == "gcp:projects/iAMMember:IAMMember"]
    assert [grant.inputs["role"] for grant in grants] == [role["roleId"].replace("_", "-")]


def test_the_clock_may_run_this_job_only() -> None:
    declared = declare_recovery(stage("d"))
    invoker = declared.one("JobIamMember").inputs
    assert invoker["role"] == "roles/run.invoker"
    assert invoker["name"] == "dreamseed-recovery-refresh"


def test_the_restore_machine_exists_only_while_a_disaster_lasts() -> None:
    calm = declare_recovery(stage("e"))
    assert not calm.has("Instance")
    assert not calm.has("Disk")
    assert calm.outputs["restore_address"] is None
    active = declare_recovery(changed(stage("e"), "disaster_recovery", active=True))
    machine = active.one("Instance").inputs
    assert machine["networkInterfaces"][0]["networkIp"] == active.outputs["restore_address"] == "10.40.0.20"
    assert active.one("Disk").protect


def test_a_disaster_adds_the_machine_and_its_disk_and_waits_for_nothing_else() -> None:
    calm = {(each.type, each.name) for each in declare_recovery(stage("d")).resources}
    active = declare_recovery(changed(stage("d"), "disaster_recovery", active=True))
    added = {(each.type, each.name) for each in active.resources} - calm
    assert {kind for kind, _ in added} == {"gcp:compute/instance:Instance", "gcp:compute/disk:Disk"}


def test_only_the_cloud_network_and_the_servers_reach_a_restored_database() -> None:
    rule = declare_recovery(stage("e")).one("Firewall").inputs
    assert rule["sourceRanges"] == ["10.40.0.0/20", "10.20.0.0/24"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["5432"]}]
