from __future__ import annotations

import pytest

from tests.components.builders import declare_store
from tests.components.declaring import stage


@pytest.mark.parametrize("letter", ["a", "b", "c", "d"])
def test_three_buckets_are_there_from_the_first_stage_on(letter: str) -> None:
    declared = declare_store(stage(letter))
    assert set(declared.outputs["names"]) == {"models", "content", "backups"}
    assert {bucket.inputs["name"] for bucket in declared.all("Bucket")} == set(declared.outputs["names"].values())


def test_the_last_stage_adds_a_second_site_in_another_account_and_region() -> None:
    declared = declare_store(stage("e"))
    second = next(b for b in declared.all("Bucket") if b.name.endswith("-second")).inputs
    assert (second["account"], second["region"]) == ("second", "eu-central-003")
    assert declared.outputs["endpoints"]["backups-second"] == "s3.eu-central-003.backblazeb2.com"


def test_backups_are_locked_and_nothing_else_is() -> None:
    locks = {b.inputs["name"]: b.inputs.get("lock_days") for b in declare_store(stage("e")).all("Bucket")}
    assert locks == {
        "dreamseed-prod-models": None,
        "dreamseed-prod-content": None,
        "dreamseed-prod-backups": 7,
        "dreamseed-prod-backups-second": 7,
    }


def test_each_consumer_holds_one_key_to_one_bucket() -> None:
    declared = declare_store(stage("e"))
    keys = {key.inputs["name"]: key.inputs for key in declared.all("ApplicationKey")}
    assert {name: key["bucket_id"] for name, key in keys.items()} == {
        "dreamseed-prod-models-servers": "dreamseed-prod-models-id",
        "dreamseed-prod-content-api": "dreamseed-prod-content-id",
        "dreamseed-prod-backups-postgres": "dreamseed-prod-backups-id",
        "dreamseed-prod-backups-second-postgres": "dreamseed-prod-backups-second-id",
    }
    assert "writeFiles" not in keys["dreamseed-prod-models-servers"]["capabilities"]
    # Who takes over a server must not be able to empty both sites.
    assert "deleteFiles" not in keys["dreamseed-prod-backups-second-postgres"]["capabilities"]


def test_keys_are_outputs_by_role() -> None:
    outputs = declare_store(stage("a")).outputs
    assert outputs["key_ids"]["backups"] == "dreamseed-prod-backups-postgres-id"
    assert outputs["keys"]["backups"] == "secret-of-dreamseed-prod-backups-postgres"
