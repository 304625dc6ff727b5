from __future__ import annotations

import json

import pytest

from components.autoscaler import API_PERMISSIONS, PERMISSIONS
from dreamseed.planning.autoscaling import plan_policy
from dreamseed.planning.services.autoscaler import CREDENTIAL_FILE, SETTINGS_FILE
from tests.components.builders import declare_autoscaler
from tests.components.declaring import stage
from tests.planning.stages import shipped


def test_its_account_may_make_and_delete_machines_and_run_them_as_the_workers_and_nothing_else() -> None:
    declared = declare_autoscaler(stage("c"))
    role = declared.one("IAMCustomRole").inputs
    assert role["permissions"] == list(PERMISSIONS)
    assert {one.split(".")[0] for one in PERMISSIONS} == {"compute"}
    assert not [one for one in PERMISSIONS if one.endswith((".setIamPolicy", ".osLogin", ".osAdminLogin", ".update"))]
    rights = {
        one.inputs.get("serviceAccountId", one.inputs.get("project")): one.inputs["role"]
        for one in declared.all("IAMMember")
    }
    assert rights["projects/p/serviceAccounts/worker"] == "roles/iam.serviceAccountUser"
    assert len(rights) == 2
    assert not [one for one in rights.values() if one in ("roles/owner", "roles/editor")]


@pytest.mark.parametrize("name", ["d", "e"])
def test_where_it_keeps_the_api_warm_it_may_update_that_service_alone_as_its_account(name: str) -> None:
    declared = declare_autoscaler(stage(name))
    roles = {one.inputs["roleId"]: one.inputs["permissions"] for one in declared.all("IAMCustomRole")}
    assert roles["dreamseed_autoscaler_api"] == list(API_PERMISSIONS)
    [grant] = declared.all("ServiceIamMember")
    assert grant.inputs["name"] == "dreamseed-api"
    accounts = [one.inputs["serviceAccountId"] for one in declared.all("IAMMember") if "serviceAccountId" in one.inputs]
    assert accounts == ["projects/p/serviceAccounts/api", "projects/p/serviceAccounts/worker"]


def test_where_it_does_not_it_has_no_right_over_the_api() -> None:
    declared = declare_autoscaler(stage("c"))
    assert not declared.has("ServiceIamMember")
    assert len(declared.all("IAMCustomRole")) == 1


def test_of_machines_it_reaches_only_those_that_bear_a_workers_name() -> None:
    [grant] = [one for one in declare_autoscaler(stage("c")).all("IAMMember") if "project" in one.inputs]
    expression = grant.inputs["condition"]["expression"]
    assert expression == (
        'resource.type != "compute.googleapis.com/Instance" || '
        'resource.name.extract("/instances/{name}").startsWith("dreamseed-burst-")'
    )
    plan = shipped("stage-c")
    assert plan.burst is not None
    policy = plan_policy(plan.config, plan.layout, plan.burst)
    assert f"{policy.owner}-" == "dreamseed-burst-"


def test_its_key_goes_into_the_container_as_a_file_and_is_secret() -> None:
    declared = declare_autoscaler(stage("c"))
    container = declared.one("Container")
    uploads = {one["file"]: one for one in container.inputs["uploads"]}
    assert json.loads(uploads[CREDENTIAL_FILE]["content"])["type"] == "service_account"
    assert uploads[CREDENTIAL_FILE]["permissions"] == "0400"
    assert any(path.startswith("uploads") for path in container.secret_paths)
    assert not any("service_account" in one for one in container.inputs["envs"])


def test_it_is_told_the_template_that_the_cloud_made() -> None:
    uploads = declare_autoscaler(stage("c")).one("Container").inputs["uploads"]
    settings = next(one["content"] for one in uploads if one["file"] == SETTINGS_FILE)
    assert json.loads(settings)["template"] == "https://compute/template"


def test_its_volume_is_protected_and_it_runs_with_every_containers_restrictions() -> None:
    declared = declare_autoscaler(stage("c"))
    assert declared.one("Volume").protect
    inputs = declared.one("Container").inputs
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert inputs["memory"] == inputs["memorySwap"]
    assert inputs["healthcheck"]["tests"][0] == "CMD"
    assert inputs["capabilities"] == {"drops": ["ALL"]}
