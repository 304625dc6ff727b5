from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal import guards
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.seams import RefusedError, Subject
from rehearsal.providers.values import Values

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"


def made(cloud: FakeCloud, token: str, name: str, inputs: Values) -> tuple[Subject, str]:
    subject = Subject(token, f"urn:pulumi:ladder::sample::{token}::{name}", name, {"project": "sample"})
    inputs = {"name": name, "project": "sample", **inputs}
    return subject, cloud.create(subject, inputs, inputs).id


def test_a_guarded_database_can_be_deleted_only_after_the_guards_are_lifted(tmp_path: Path) -> None:
    cloud = FakeCloud(tmp_path)
    guarded: Values = {"deletionProtection": True, "settings": {"deletionProtectionEnabled": True, "tier": "x"}}
    subject, database = made(cloud, DATABASE, "landing", guarded)
    with pytest.raises(RefusedError):
        cloud.delete(subject, database)
    assert guards.lift(tmp_path) == 1
    (found,) = cloud.list(DATABASE)
    assert found.outputs["deletionProtection"] is False
    assert found.outputs["settings"] == {"deletionProtectionEnabled": False, "tier": "x"}
    cloud.delete(subject, database)
    assert cloud.list(DATABASE) == []
    cloud.close()


def test_a_policy_that_prevents_deletion_is_set_to_delete_and_others_stay(tmp_path: Path) -> None:
    cloud = FakeCloud(tmp_path)
    made(cloud, BUCKET, "prevents", {"deletionPolicy": "PREVENT"})
    made(cloud, BUCKET, "abandons", {"deletionPolicy": "ABANDON"})
    assert guards.lift(tmp_path) == 1
    assert {found.outputs["deletionPolicy"] for found in cloud.list(BUCKET)} == {"DELETE", "ABANDON"}
    cloud.close()


def test_lifting_twice_or_from_an_empty_cloud_finds_nothing_guarded(tmp_path: Path) -> None:
    cloud = FakeCloud(tmp_path)
    assert guards.lift(tmp_path) == 0
    made(cloud, DATABASE, "landing", {"deletionProtection": True})
    assert (guards.lift(tmp_path), guards.lift(tmp_path)) == (1, 0)
    cloud.close()
