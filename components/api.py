"""The API on Cloud Run, with its secrets, its account and its way to the servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import cloudrunv2, serviceaccount

from components.api_containers import containers
from components.api_exposure import declare_exposure
from components.base import Component
from components.labels import labels
from components.secret_manager import StoredSecret, store_secret
from dreamseed.config.cloud import Api, Exposure
from dreamseed.config.service import Service
from dreamseed.planning.api import ApiPlan, ApiSecret, secret_id


@dataclass(frozen=True, kw_only=True)
class Egress:
    """The cloud network that instances stand in: ids of network and subnet."""

    network: pulumi.Input[str]
    subnetwork: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class ApiServiceArgs:
    """What `ApiService` needs.

    `secrets` holds a value for each `ApiSecret`; `zone_id` is the Cloudflare zone of the API's record;
    `egress` the network that instances stand in where the plan asks for it; `deployer` the IAM member that
    may deploy it; `enabled` what must exist first (the project's enabled APIs). `after` is what must know a
    secret before the API does.
    """

    service: Service
    api: Api
    plan: ApiPlan
    secrets: Mapping[ApiSecret, pulumi.Input[str]]
    zone_id: pulumi.Input[str]
    egress: Egress
    deployer: pulumi.Input[str]
    enabled: Sequence[pulumi.Resource] = ()
    after: Mapping[ApiSecret, Sequence[pulumi.Resource]] = field(default_factory=dict)


class ApiService(Component):
    """A Cloud Run service within its stage's bounds, reached through the edge only.

    Declares the service's account, which may read its own secrets and nothing else; one Secret Manager
    secret a value; the service with API and tunnel sidecar; who may invoke it (everyone, since the edge
    cannot sign requests); its domain and DNS record. The ``run.app`` address is switched off, so that
    nobody walks around the edge by it. Declares no images: the stage file names them by digest. The knative
    annotations for scale-down delay and targets do not exist in the v2 API; the two targets are fields
    behind `api.preview_scaling_targets`. Source: docs/surprises.md, section 1, 2026-11-22.
    """

    token = "dreamseed:api:ApiService"  # noqa: S105 - a resource's type token, not a secret

    url: pulumi.Output[str]
    """Public address."""
    service_name: pulumi.Output[str]
    account_email: pulumi.Output[str]
    account_name: pulumi.Output[str]
    """Full resource name of the service account, for whoever may act as it."""

    def __init__(self, name: str, args: ApiServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        account = serviceaccount.Account(
            args.api.name,
            account_id=args.api.name,
            project=args.service.gcp_project,
            display_name="API on Cloud Run",
            opts=self.child(depends_on=list(args.enabled)),
        )
        secrets = {
            kind: store_secret(
                self,
                args.service,
                secret_id(args.service.name, kind),
                args.secrets[kind],
                account,
                args.enabled,
                args.after.get(kind, ()),
            )
            for kind in ApiSecret
        }
        service = self._declare_service(args, account, secrets)
        cloudrunv2.ServiceIamMember(
            f"{args.api.name}-invoker",
            name=service.name,
            project=args.service.gcp_project,
            location=args.service.region,
            role="roles/run.invoker",
            member="allUsers",
            opts=self.child(),
        )
        self._let_deploy(args, account, service)
        declare_exposure(self, args.service, args.api, args.plan.hostname, args.zone_id, service)
        self.publish(
            url=pulumi.Output.from_input(f"https://{args.plan.hostname}"),
            service_name=service.name,
            account_email=account.email,
            account_name=account.name,
        )

    def _declare_service(
        self,
        args: ApiServiceArgs,
        account: serviceaccount.Account,
        secrets: Mapping[ApiSecret, StoredSecret],
    ) -> cloudrunv2.Service:
        api = args.api
        behind_balancer = api.exposure is Exposure.LOAD_BALANCER
        return cloudrunv2.Service(
            api.name,
            name=api.name,
            project=args.service.gcp_project,
            location=args.service.region,
            labels=labels(args.service.name),
            ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" if behind_balancer else "INGRESS_TRAFFIC_ALL",
            default_uri_disabled=True,
            deletion_protection=True,
            # Always said: left out, the stage that switched the preview feature off would keep BETA.
            launch_stage="BETA" if api.preview_scaling_targets else "GA",
            template=cloudrunv2.ServiceTemplateArgs(
                service_account=account.email,
                execution_environment="EXECUTION_ENVIRONMENT_GEN2",
                timeout=f"{api.request_timeout_seconds}s",
                max_instance_request_concurrency=api.concurrency,
                scaling=cloudrunv2.ServiceTemplateScalingArgs(
                    min_instance_count=api.min_instances,
                    max_instance_count=api.max_instances,
                    cpu_utilization=api.cpu_utilization_target if api.preview_scaling_targets else None,
                    concurrency_utilization=(
                        api.concurrency_utilization_target if api.preview_scaling_targets else None
                    ),
                ),
                vpc_access=_vpc_access(args.egress) if args.plan.joins_network else None,
                containers=containers(api, args.plan, {kind: stored.version for kind, stored in secrets.items()}),
            ),
            opts=self.child(
                depends_on=[stored.access for stored in secrets.values()],
                # The service-level minimum is Cloud Run's own zero, or what the autoscaler set: never this program's.
                ignore_changes=["scaling"],
            ),
        )

    def _let_deploy(self, args: ApiServiceArgs, account: serviceaccount.Account, service: cloudrunv2.Service) -> None:
        """Grant what a deployment needs on exactly two resources: a new revision, and acting as its account."""
        cloudrunv2.ServiceIamMember(
            f"{args.api.name}-deployer",
            name=service.name,
            project=args.service.gcp_project,
            location=args.service.region,
            role="roles/run.developer",
            member=args.deployer,
            opts=self.child(),
        )
        serviceaccount.IAMMember(
            f"{args.api.name}-deployer",
            service_account_id=account.name,
            role="roles/iam.serviceAccountUser",
            member=args.deployer,
            opts=self.child(),
        )


def _vpc_access(egress: Egress) -> cloudrunv2.ServiceTemplateVpcAccessArgs:
    interface = cloudrunv2.ServiceTemplateVpcAccessNetworkInterfaceArgs(
        network=egress.network, subnetwork=egress.subnetwork
    )
    return cloudrunv2.ServiceTemplateVpcAccessArgs(network_interfaces=[interface], egress="PRIVATE_RANGES_ONLY")
