from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from components.observability import Observability, ObservabilityArgs
from components.servers import Servers, ServersArgs
from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.planning.grafana_cloud import plan_grafana_cloud
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.services.monitoring import plan_monitoring
from dreamseed.planning.services.monitoring_exporters import COMPONENT

PROJECT = Path(__file__).parents[2]
CHANNEL = "projects/dreamseed-prod/notificationChannels/1"
TOKEN = "token-of-the-metrics-writer"
FLOOR = 15
"""Fewer resources than any stage's monitoring has: below it a run tested nothing."""


class Clouds(Mocks):
    """Keeps what is registered and answers with what the providers would compute."""

    def __init__(self) -> None:
        self.made: list[MockResourceArgs] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made.append(args)
        computed = {
            "imageId": f"sha256:{args.name}",
            "uptimeCheckId": "check-1",
            "prometheusRemoteWriteEndpoint": "https://metrics.grafana.example/api/prom/push",
            "prometheusUserId": 4711,
            "policyId": "policy-1",
            "token": TOKEN,
            "url": "https://dreamseedprod.grafana.net",
        }
        return f"{args.name}-id", {**computed, **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"monitoring asks no provider for anything, but called {args.token}")


def observability(stage: str) -> Observability:
    """Declare the monitoring of a shipped stage."""
    config = load_stage(stage_file(PROJECT, stage))
    plan = plan_stage(config, stage)
    others = [service for service in plan.services if service.component != COMPONENT]
    monitoring = plan_monitoring(config, plan.hosts, others)
    images: dict[str, dict[str, None]] = {host.name: {} for host in plan.hosts}
    for container in monitoring.containers:
        images[container.host][container.image] = None
    servers = Servers("servers", ServersArgs(hosts=plan.hosts, images={host: list(of) for host, of in images.items()}))
    provided = {ProvidedSecret.ALERT_WEBHOOK, ProvidedSecret.ALERT_CHAT, ProvidedSecret.ALERT_MAIL_PASSWORD}
    provided |= {ProvidedSecret.BACKUP_KEY_ID, ProvidedSecret.BACKUP_KEY}
    return Observability(
        "monitoring",
        ObservabilityArgs(
            service=config.service,
            api=config.api,
            slo=config.slo,
            plan=monitoring,
            hosts=servers.hosts,
            secrets={name: pulumi.Output.secret(f"value-of-{name}") for name in {*GeneratedSecret, *provided}},
            api_hostname=plan.api.hostname,
            channel=CHANNEL,
            grafana_cloud=plan_grafana_cloud(config.service, config.monitoring),
        ),
    )


@cache
def declared(stage: str) -> tuple[tuple[MockResourceArgs, ...], Mapping[str, Any]]:
    """Return everything that a stage's monitoring registers, and its outputs."""
    clouds = Clouds()
    seen: dict[str, Any] = {}
    pulumi.runtime.set_mocks(clouds, project="dreamseed", stack=stage, preview=False)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK gives this decorator no types
    def declare() -> pulumi.Output[None]:
        component = observability(stage)
        return pulumi.Output.all(
            urls=component.urls, check=component.uptime_check_id, hosted=component.grafana_cloud_url
        ).apply(seen.update)

    declare()
    assert len(clouds.made) > FLOOR, "nothing was declared: the test tried nothing"
    assert seen, "the outputs never became known"
    return tuple(clouds.made), seen


def of_type(stage: str, end: str) -> dict[str, Mapping[str, Any]]:
    """The inputs of a stage's resources of one type, by name."""
    return {made.name: made.inputs for made in declared(stage)[0] if made.typ.endswith(f":{end}")}


def condition(stage: str, name: str) -> Mapping[str, Any]:
    conditions = of_type(stage, "AlertPolicy")[name]["conditions"]
    assert len(conditions) == 1
    (kind,) = conditions[0].keys() - {"displayName"}
    content: Mapping[str, Any] = conditions[0][kind]
    return content


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_planned_container_and_volume_is_declared(stage: str) -> None:
    config = load_stage(stage_file(PROJECT, stage))
    plan = plan_stage(config, stage)
    others = [service for service in plan.services if service.component != COMPONENT]
    monitoring = plan_monitoring(config, plan.hosts, others)
    assert set(of_type(stage, "Container")) == {container.name for container in monitoring.containers}
    assert set(of_type(stage, "Volume")) == {volume.name for volume in monitoring.volumes}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_google_cloud_announces_four_things_on_the_given_channel(stage: str) -> None:
    policies = of_type(stage, "AlertPolicy")
    names = {"dreamseed-api-latency", "dreamseed-api-failures", "dreamseed-api-instances", "dreamseed-api-uptime"}
    assert set(policies) == names
    for policy in policies.values():
        assert policy["notificationChannels"] == [CHANNEL]
        assert policy["severity"] in ("CRITICAL", "WARNING")
        assert policy["project"] == "dreamseed-prod"
        assert policy["documentation"]["content"]


def test_the_channel_is_the_budgets_and_not_declared_twice() -> None:
    assert of_type("stage-c", "NotificationChannel") == {}


def test_the_bound_on_instances_follows_the_stage() -> None:
    assert condition("stage-a", "dreamseed-api-instances")["query"].endswith(">= 3")
    assert condition("stage-e", "dreamseed-api-instances")["query"].endswith(">= 36")
    assert condition("stage-e", "dreamseed-api-instances")["duration"] == "300s"


def test_the_api_is_asked_from_outside_by_https_and_somebody_hears_of_it() -> None:
    check = of_type("stage-b", "UptimeCheckConfig")["dreamseed-api"]
    assert check["monitoredResource"]["labels"] == {"project_id": "dreamseed-prod", "host": "api.dreamseed.example"}
    assert check["httpCheck"]["useSsl"] is True
    assert check["httpCheck"]["validateSsl"] is True
    assert check["httpCheck"]["port"] == 443
    assert 'check_id="check-1"' in condition("stage-b", "dreamseed-api-uptime")["filter"]
    assert declared("stage-b")[1]["check"] == "check-1"


def test_only_the_period_of_the_outside_check_differs_between_stages() -> None:
    checks = {stage: dict(of_type(stage, "UptimeCheckConfig")["dreamseed-api"]) for stage in STAGE_NAMES}
    periods = {stage: check.pop("period") for stage, check in checks.items()}
    assert periods == {"stage-a": "300s"} | dict.fromkeys(STAGE_NAMES[1:], "60s")
    assert all(check == checks["stage-a"] for check in checks.values())


@pytest.mark.parametrize("stage", ["stage-a", "stage-b"])
def test_a_stage_without_grafana_cloud_declares_nothing_there(stage: str) -> None:
    assert [made.name for made in declared(stage)[0] if made.typ.startswith("grafana:")] == []
    assert declared(stage)[1]["hosted"] is None


def test_grafana_cloud_is_the_same_from_stage_c_on() -> None:
    hosted = [
        {(made.typ, made.name): made.inputs for made in declared(stage)[0] if made.typ.startswith("grafana:")}
        for stage in ("stage-c", "stage-d", "stage-e")
    ]
    assert len(hosted[0]) == 3
    assert hosted[0] == hosted[1] == hosted[2]


def test_the_hosted_stack_cannot_be_deleted_and_its_one_token_only_writes_metrics() -> None:
    stack = of_type("stage-c", "Stack")["dreamseedprod"]
    assert stack["deleteProtection"] is True
    assert stack["slug"] == "dreamseedprod"
    policy = of_type("stage-c", "AccessPolicy")["dreamseed-metrics-writer"]
    assert policy["scopes"] == ["metrics:write"]
    assert policy["realms"] == [{"type": "stack", "identifier": "dreamseedprod-id"}]
    assert of_type("stage-c", "AccessPolicyToken")["dreamseed-metrics-writer"]["accessPolicyId"] == "policy-1"


def uploads(stage: str, container: str) -> dict[str, Mapping[str, Any]]:
    """The files of a container by path; they must have gone to the engine as secrets if one of them holds any."""
    sent = of_type(stage, "Container")[container]["uploads"]
    files = rpc.unwrap_rpc_secret(sent)
    if any(file["file"].startswith("/run/secrets/") for file in files):
        assert rpc.is_rpc_secret(sent), f"the files of {container} are plain"
    return {file["file"]: file for file in files}


def test_prometheus_writes_to_the_hosted_stack_with_its_own_token() -> None:
    files = uploads("stage-c", "prometheus")
    assert files["/run/secrets/grafana-cloud-token"]["content"] == TOKEN
    assert files["/run/secrets/grafana-cloud-user"]["content"] == "4711"
    assert "url: https://metrics.grafana.example/api/prom/push" in files["/etc/prometheus/prometheus.yml"]["content"]
    assert set(uploads("stage-b", "prometheus")) == {"/etc/prometheus/prometheus.yml", "/etc/prometheus/rules.yml"}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_secret_stays_a_marker_and_none_is_in_a_variable(stage: str) -> None:
    for name, inputs in of_type(stage, "Container").items():
        contents = [file["content"] for file in uploads(stage, name).values()]
        assert not any("⟦" in content for content in contents), name
        assert not any("value-of-" in variable for variable in inputs.get("envs", ())), name
    webhook = uploads(stage, "alertmanager")["/run/secrets/alert-webhook"]
    assert webhook["content"] == "value-of-alert-webhook"
    assert webhook["permissions"] == "0400"


def test_the_front_ends_are_published_by_address() -> None:
    assert declared("stage-c")[1]["urls"] == {
        "prometheus": "http://10.20.0.11:9090",
        "alertmanager": "http://10.20.0.11:9093",
        "grafana": "http://10.20.0.11:3000",
    }


@pytest.mark.parametrize("kind", ["Volume", "Stack", "AccessPolicy", "AccessPolicyToken"])
def test_what_holds_data_or_an_identity_is_declared_alike_in_every_stage_that_has_it(kind: str) -> None:
    before: dict[str, Mapping[str, Any]] = {}
    for stage in STAGE_NAMES:
        here = of_type(stage, kind)
        assert before.items() <= here.items(), f"{stage} changes or drops what the stage before it declared"
        before = here
    assert before
