from __future__ import annotations

import pytest

from dreamseed.config.cloud import CLOUD_RUN_MIN_MEMORY_GIB
from dreamseed.planning.api import ApiSecret
from tests.components.builders import declare_api, secret_of
from tests.components.declaring import changed, stage

STAGES = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize("letter", STAGES)
def test_the_service_stays_within_its_stage_bounds(letter: str) -> None:
    config = stage(letter)
    service = declare_api(config).one("Service")
    template = service.inputs["template"]
    scaling = template["scaling"]
    # A minimum of 0 is said, not left out: left out, the stage before would decide.
    assert scaling["minInstanceCount"] == config.api.min_instances
    assert scaling["maxInstanceCount"] == config.api.max_instances
    assert template["maxInstanceRequestConcurrency"] == config.api.concurrency
    assert template["timeout"] == f"{config.api.request_timeout_seconds}s"
    limits = template["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": str(config.api.cpu), "memory": f"{config.api.memory_gib}Gi"}
    assert config.api.memory_gib >= CLOUD_RUN_MIN_MEMORY_GIB[config.api.cpu]


def test_cpu_is_billed_as_the_stage_asks_in_both_containers() -> None:
    by_request = declare_api(stage("a")).one("Service").inputs["template"]["containers"]
    assert [container["resources"]["cpuIdle"] for container in by_request] == [True, True]
    by_instance = declare_api(changed(stage("a"), "api", billing="instance")).one("Service")
    containers = by_instance.inputs["template"]["containers"]
    assert [container["resources"]["cpuIdle"] for container in containers] == [False, False]


def test_scaling_targets_are_a_preview_feature_that_is_off_unless_asked_for() -> None:
    plain = declare_api(stage("c")).one("Service").inputs
    assert plain["launchStage"] == "GA"
    assert "cpuUtilization" not in plain["template"]["scaling"]
    asked = declare_api(changed(stage("c"), "api", preview_scaling_targets=True)).one("Service").inputs
    assert asked["launchStage"] == "BETA"
    assert asked["template"]["scaling"]["cpuUtilization"] == 0.7
    assert asked["template"]["scaling"]["concurrencyUtilization"] == 0.8


def test_each_probe_answers_within_its_period() -> None:
    containers = declare_api(stage("a")).one("Service").inputs["template"]["containers"]
    probes = [
        container[kind] for container in containers for kind in ("startupProbe", "livenessProbe") if kind in container
    ]
    assert len(probes) == 4
    assert all(probe["timeoutSeconds"] <= probe["periodSeconds"] for probe in probes)


def test_secrets_reach_the_containers_as_numbered_versions_and_never_as_values() -> None:
    declared = declare_api(stage("a"))
    assert len(declared.all("SecretVersion")) == len(ApiSecret)
    variables = [
        variable
        for container in declared.one("Service").inputs["template"]["containers"]
        for variable in container["envs"]
    ]
    referenced = {v["name"]: v["valueSource"]["secretKeyRef"] for v in variables if "valueSource" in v}
    assert referenced["DATABASE_PASSWORD"] == {"secret": "dreamseed-database-password-id", "version": "7"}
    assert set(referenced) >= {"TUNNEL_SERVICE_TOKEN_ID", "TUNNEL_SERVICE_TOKEN_SECRET", "VLLM_API_KEY"}
    assert not any(secret_of(kind) in str(v) for kind in ApiSecret for v in variables)


def test_only_the_service_account_may_read_the_secrets_and_the_service_waits_for_that() -> None:
    declared = declare_api(stage("a"))
    readers = declared.all("SecretIamMember")
    assert len(readers) == len(ApiSecret)
    assert {reader.inputs["member"] for reader in readers} == {"serviceAccount:dreamseed-api@p.iam.gserviceaccount.com"}
    waits = declared.one("Service").dependencies
    assert sum("SecretIamMember" in urn for urn in waits) == len(ApiSecret)


def test_a_superseded_secret_version_is_switched_off_and_not_destroyed() -> None:
    assert {v.inputs["deletionPolicy"] for v in declare_api(stage("a")).all("SecretVersion")} == {"DISABLE"}


def test_the_sidecar_is_ready_before_the_api_and_only_the_api_has_a_port() -> None:
    api, sidecar = declare_api(stage("a")).one("Service").inputs["template"]["containers"]
    assert api["dependsOns"] == [sidecar["name"]]
    assert api["ports"] == {"containerPort": 8080}
    assert "ports" not in sidecar


def test_the_deployer_may_deploy_this_service_and_act_as_its_account_only() -> None:
    declared = declare_api(stage("a"))
    member = "serviceAccount:deployer@p.iam.gserviceaccount.com"
    granted = {(each.type, each.inputs["role"]) for each in declared.resources if each.inputs.get("member") == member}
    assert granted == {
        ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "roles/run.developer"),
        ("gcp:serviceaccount/iAMMember:IAMMember", "roles/iam.serviceAccountUser"),
    }


def test_a_mapped_domain_is_reached_through_the_edge_only() -> None:
    declared = declare_api(stage("a"))
    assert declared.one("Service").inputs["defaultUriDisabled"] is True
    record = declared.one("DnsRecord").inputs
    assert (record["type"], record["content"], record["proxied"]) == ("CNAME", "ghs.googlehosted.com", True)
    assert declared.one("DomainMapping").inputs["name"] == record["name"] == "api.dreamseed.example"
    assert declared.outputs["url"] == "https://api.dreamseed.example"
    assert not declared.has("GlobalForwardingRule")


def test_behind_a_load_balancer_the_service_takes_requests_from_nothing_else() -> None:
    declared = declare_api(changed(stage("e"), "api", exposure="load_balancer"))
    assert declared.one("Service").inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    assert not declared.has("DomainMapping")
    records = {record.inputs["name"]: record.inputs for record in declared.all("DnsRecord")}
    assert (records["api.dreamseed.example"]["type"], records["api.dreamseed.example"]["content"]) == (
        "A",
        "198.51.100.7",
    )
    proof = next(record for name, record in records.items() if name.startswith("_acme"))
    assert (proof["content"], proof["proxied"]) == ("y.goog", False)


def test_the_service_joins_the_cloud_network_for_the_vpn_and_for_a_restored_database() -> None:
    assert "vpcAccess" not in declare_api(stage("a")).one("Service").inputs["template"]
    access = declare_api(stage("e")).one("Service").inputs["template"]["vpcAccess"]
    assert access["egress"] == "PRIVATE_RANGES_ONLY"
    assert access["networkInterfaces"] == [{"network": "network-id", "subnetwork": "subnetwork-id"}]
    assert "vpcAccess" not in declare_api(stage("d")).one("Service").inputs["template"]
    active = declare_api(changed(stage("d"), "disaster_recovery", active=True))
    assert "vpcAccess" in active.one("Service").inputs["template"]


def test_no_annotation_or_label_of_knative_is_written() -> None:
    # The v2 API rejects these name spaces.
    text = str(declare_api(stage("e")).one("Service").inputs)
    assert "knative.dev" not in text
    assert "run.googleapis.com/" not in text
