"""Monitoring: on the servers, from Google Cloud, and what is sent to Grafana Cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pulumi
from pulumi_gcp import monitoring
from pulumiverse_grafana import cloud

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from components.labels import labels
from dreamseed.config.cloud import Api
from dreamseed.config.operations import Slo
from dreamseed.config.service import Service
from dreamseed.monitoring.cloud_policies import UPTIME_TIMEOUT, CloudPolicy, cloud_policies, uptime_period
from dreamseed.monitoring.model import Severity
from dreamseed.planning.api import CHECK_PATH
from dreamseed.planning.container import ServicePlan
from dreamseed.planning.grafana_cloud import GrafanaCloudPlan
from dreamseed.planning.keys import FIRST, Generations
from dreamseed.planning.secrets import ProvidedSecret

AUTO_CLOSE = timedelta(minutes=30)
"""An alert without data closes after this; the shortest that Cloud Monitoring takes."""


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """What `Observability` needs.

    `plan` are the containers, `hosts` and `secrets` what they stand on and ask for; `api_hostname` is public;
    `channel` is the notification channel that Google Cloud announces on; `grafana_cloud` is null where the stage
    has none, `load_job` where no job loads a Cloud SQL; `enabled` what must exist first (the project's enabled APIs);
    `token_generations` are those of Grafana Cloud's token.
    """

    service: Service
    api: Api
    slo: Slo
    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets
    api_hostname: str
    channel: pulumi.Input[str]
    grafana_cloud: GrafanaCloudPlan | None
    load_job: str | None = None
    token_generations: Generations = FIRST
    enabled: Sequence[pulumi.Resource] = ()


class Observability(Component):
    """Prometheus, Alertmanager, Grafana and exporters on the servers; watchers in the clouds.

    Google Cloud asks the API from outside and alerts on what Cloud Run counts about it, by the same e-mail channel as
    the budget, also while the servers are away. Grafana Cloud is one stack that Prometheus alone may write metrics
    to; free and pro are the same resources, since the account's plan decides what the stack may hold. Its token does
    not expire. Nothing here needs a reachable Grafana: dashboards are files of its container. Declares neither the
    API's own metrics, which its image pushes, nor the channel, which `CostGuard` owns. Source: docs/surprises.md,
    sections 1 and 7, 2026-11-22.
    """

    token = "dreamseed:operations:Observability"  # noqa: S105 - a resource's type token, not a secret

    urls: Mapping[str, str]
    """Where Prometheus, Alertmanager and Grafana answer on the servers' private network, by container."""
    uptime_check_id: pulumi.Output[str]
    grafana_cloud_url: pulumi.Output[str] | None

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        hosted = self._grafana_cloud(args, args.grafana_cloud) if args.grafana_cloud else None
        remote_write = _remote_write(*hosted) if hosted else {}
        declare_service(args.plan, args.hosts, {**args.secrets, **remote_write}, self)
        check = self._uptime_check(args)
        self._uptime_policy(args, check)
        for policy in cloud_policies(args.api, args.slo, args.load_job):
            self._policy(args, policy)
        self.publish(
            urls=_urls(args),
            uptime_check_id=check.uptime_check_id,
            grafana_cloud_url=hosted[0].url if hosted else None,
        )

    def _grafana_cloud(
        self, args: ObservabilityArgs, plan: GrafanaCloudPlan
    ) -> tuple[cloud.Stack, cloud.AccessPolicyToken]:
        """Declare the hosted stack and the one token, which may write metrics to it and do nothing else."""
        stack = cloud.Stack(
            plan.slug,
            name=plan.slug,
            slug=plan.slug,
            region_slug=plan.region,
            description=f"Metrics of {args.service.name}",
            delete_protection=True,
            opts=self.stateful(),
        )
        writer = f"{args.service.name}-metrics-writer"
        policy = cloud.AccessPolicy(
            writer,
            name=writer,
            display_name=writer,
            region=plan.region,
            scopes=["metrics:write"],
            realms=[cloud.AccessPolicyRealmArgs(type="stack", identifier=stack.id)],
            opts=self.child(),
        )

        def token(name: str) -> cloud.AccessPolicyToken:
            return cloud.AccessPolicyToken(
                name,
                name=name,
                display_name=name,
                region=plan.region,
                access_policy_id=policy.policy_id,
                opts=self.child(),
            )

        return stack, args.token_generations.declared(writer, token)

    def _uptime_check(self, args: ObservabilityArgs) -> monitoring.UptimeCheckConfig:
        return monitoring.UptimeCheckConfig(
            f"{args.service.name}-api",
            display_name=f"{args.service.name} API",
            project=args.service.gcp_project,
            period=_seconds(uptime_period(args.api)),
            timeout=_seconds(UPTIME_TIMEOUT),
            http_check=monitoring.UptimeCheckConfigHttpCheckArgs(
                path=CHECK_PATH, port=443, use_ssl=True, validate_ssl=True, request_method="GET"
            ),
            monitored_resource=monitoring.UptimeCheckConfigMonitoredResourceArgs(
                type="uptime_url",
                labels={"project_id": args.service.gcp_project, "host": args.api_hostname},
            ),
            user_labels=labels(args.service.name),
            opts=self.child(depends_on=list(args.enabled)),
        )

    def _uptime_policy(self, args: ObservabilityArgs, check: monitoring.UptimeCheckConfig) -> None:
        """Declare who hears that the API does not answer from at least two regions."""
        metric = "monitoring.googleapis.com/uptime_check/check_passed"
        threshold = monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=pulumi.Output.format(
                'metric.type="{0}" AND metric.label.check_id="{1}" AND resource.type="uptime_url"',
                metric,
                check.uptime_check_id,
            ),
            comparison="COMPARISON_GT",
            threshold_value=1,
            duration="60s",
            aggregations=[
                monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period="1200s",
                    per_series_aligner="ALIGN_NEXT_OLDER",
                    cross_series_reducer="REDUCE_COUNT_FALSE",
                    group_by_fields=["resource.label.*"],
                )
            ],
        )
        title = "API does not answer"
        self._alert_policy(
            args,
            "api-uptime",
            title,
            Severity.CRITICAL,
            f"https://{args.api_hostname}{CHECK_PATH} fails from at least two regions: edge, tunnel or Cloud Run.",
            monitoring.AlertPolicyConditionArgs(display_name=title, condition_threshold=threshold),
        )

    def _policy(self, args: ObservabilityArgs, policy: CloudPolicy) -> None:
        query = monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=policy.query,
            duration=_seconds(policy.duration),
            evaluation_interval="30s",
            # A metric exists from the first request on, which may come after the policy.
            disable_metric_validation=True,
        )
        condition = monitoring.AlertPolicyConditionArgs(
            display_name=policy.title, condition_prometheus_query_language=query
        )
        self._alert_policy(args, policy.name, policy.title, policy.severity, policy.documentation, condition)

    def _alert_policy(
        self,
        args: ObservabilityArgs,
        name: str,
        title: str,
        severity: Severity,
        documentation: str,
        condition: monitoring.AlertPolicyConditionArgs,
    ) -> None:
        monitoring.AlertPolicy(
            f"{args.service.name}-{name}",
            display_name=f"{args.service.name}: {title}",
            project=args.service.gcp_project,
            combiner="OR",
            conditions=[condition],
            severity=severity.value.upper(),
            notification_channels=[args.channel],
            alert_strategy=monitoring.AlertPolicyAlertStrategyArgs(auto_close=_seconds(AUTO_CLOSE)),
            documentation=monitoring.AlertPolicyDocumentationArgs(content=documentation, mime_type="text/markdown"),
            user_labels=labels(args.service.name),
            opts=self.child(depends_on=list(args.enabled)),
        )


def _remote_write(stack: cloud.Stack, token: cloud.AccessPolicyToken) -> dict[str, pulumi.Output[str]]:
    """Return what Prometheus writes with, as secrets by name; the user is a number at the provider."""
    values = {
        ProvidedSecret.GRAFANA_CLOUD_URL: stack.prometheus_remote_write_endpoint,
        ProvidedSecret.GRAFANA_CLOUD_USER: stack.prometheus_user_id,
        ProvidedSecret.GRAFANA_CLOUD_TOKEN: token.token,
    }
    return {name: pulumi.Output.secret(pulumi.Output.format("{0}", value)) for name, value in values.items()}


def _urls(args: ObservabilityArgs) -> dict[str, str]:
    served = ("prometheus", "alertmanager", "grafana")
    return {
        container.name: f"http://{args.hosts[container.host].address}:{container.ports[0].published}"
        for container in args.plan.containers
        if container.service in served
    }


def _seconds(duration: timedelta) -> str:
    return f"{int(duration.total_seconds())}s"
