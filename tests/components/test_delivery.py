from __future__ import annotations

from dreamseed.catalog.gcp import APIS
from tests.components.builders import declare_delivery
from tests.components.declaring import stage


def test_only_the_main_branch_of_one_repository_may_act_as_the_deployer() -> None:
    declared = declare_delivery(stage("a"))
    condition = declared.one("WorkloadIdentityPoolProvider").inputs["attributeCondition"]
    assert condition == ('assertion.repository == "dreamseedai/infrastructure" && assertion.ref == "refs/heads/main"')
    trust = next(each for each in declared.all("IAMMember") if each.inputs["role"] == "roles/iam.workloadIdentityUser")
    assert trust.inputs["member"].endswith("/attribute.repository/dreamseedai/infrastructure")


def test_no_service_account_has_a_key() -> None:
    assert not declare_delivery(stage("a")).has("Key")


def test_the_deployer_may_push_images_and_write_the_state_and_nothing_else() -> None:
    declared = declare_delivery(stage("a"))
    deployer = "serviceAccount:dreamseed-deployer@p.iam.gserviceaccount.com"
    granted = {each.inputs["role"] for each in declared.resources if each.inputs.get("member") == deployer}
    assert granted == {"roles/artifactregistry.writer", "roles/storage.objectUser"}


def test_tags_of_images_never_move() -> None:
    repository = declare_delivery(stage("a")).one("Repository").inputs
    assert repository["dockerConfig"] == {"immutableTags": True}
    assert [policy["condition"]["tagState"] for policy in repository["cleanupPolicies"]] == ["UNTAGGED"]


def test_the_state_bucket_is_private_and_keeps_what_was_overwritten() -> None:
    bucket = declare_delivery(stage("a")).one("Bucket").inputs
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["uniformBucketLevelAccess"] is True
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["softDeletePolicy"]["retentionDurationSeconds"] >= 7 * 86_400
    assert bucket["forceDestroy"] is False


def test_enabled_apis_stay_enabled_when_the_program_is_destroyed() -> None:
    services = declare_delivery(stage("a")).all("Service")
    assert {service.inputs["service"] for service in services} == set(APIS)
    assert not any(service.inputs["disableOnDestroy"] for service in services)
