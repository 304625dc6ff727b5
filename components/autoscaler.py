"""The autoscaler of the spot workers, and what it may do at Google Cloud."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import cloudrunv2, projects, serviceaccount

from components.base import Component, Secrets
from components.containers import HostResources, declare_service
from dreamseed.config.service import Service
from dreamseed.planning.container import ServicePlan
from dreamseed.planning.keys import FIRST, Generations
from dreamseed.planning.secrets import ProvidedSecret

PERMISSIONS = (
    "compute.disks.create",
    "compute.globalOperations.list",
    "compute.instanceTemplates.useReadOnly",
    "compute.instances.create",
    "compute.instances.delete",
    "compute.instances.get",
    "compute.instances.getGuestAttributes",
    "compute.instances.list",
    "compute.instances.setLabels",
    "compute.instances.setMetadata",
    "compute.instances.setServiceAccount",
    "compute.instances.setTags",
    "compute.subnetworks.use",
    "compute.subnetworks.useExternalIp",
)
"""What making a machine from the workers' template, looking at it, telling it to drain and deleting it need.

Source: Compute Engine's documentation of instances.insert, delete, setMetadata, getGuestAttributes and the aggregated
lists, as recalled 2026-11-26; never tried against a real project.
"""

WORKERS_ONLY = (
    'resource.type != "compute.googleapis.com/Instance" || '
    'resource.name.extract("/instances/{{name}}").startsWith("{owner}-")'
)
"""The condition of the grant: of machines, only those with a worker's name, so neither the witness nor what restores.

Source: IAM's documentation of conditions on resource names, read 2026-11-26; never tried against a real project.
"""


API_PERMISSIONS = ("run.services.get", "run.services.update")
"""What reading and setting the API's service-level minimum of instances needs, on that service alone.

Cloud Run has no narrower right: who may update a service may update all of it, as the account that it runs as. Source:
Cloud Run's documentation of IAM roles and of services.patch, as recalled 2026-11-27; never tried.
"""


@dataclass(frozen=True, kw_only=True)
class ScaledApi:
    """The Cloud Run service whose warm instances follow the API's p99: its name, and its account's full name."""

    service_name: pulumi.Input[str]
    account: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class AutoscalerArgs:
    """What `Autoscaler` needs.

    `owner` begins the workers' names, `template` is their template as its self link, `worker_account` the full name of
    the account that they run as, `secrets` what else the container's files ask for, `enabled` what must exist first.
    `api` is there where it keeps the API's instances warm, too. `key_generations` are those of the account's key.
    """

    service: Service
    plan: ServicePlan
    hosts: Mapping[str, HostResources]
    secrets: Secrets
    owner: str
    template: pulumi.Input[str]
    worker_account: pulumi.Input[str]
    api: ScaledApi | None = None
    key_generations: Generations = FIRST
    enabled: Sequence[pulumi.Resource] = ()


class Autoscaler(Component):
    """The container on the first server that makes and deletes spot workers, its volume, its account and its key.

    The account may make, see, tell and delete workers, by their names, and run them as the workers' account; with `api`
    also update the one Cloud Run service, as its account; no more.
    Its key is the one that this program makes, since the server is not Google's and has no identity there: it is kept
    encrypted in the state and in a file that only the container's user can read. ``dreamseed keys rotate
    autoscaler-key`` makes it anew. An organisation that forbids keys (iam.disableServiceAccountKeyCreation, the default
    of new ones) must allow it for this project. Declares no worker: the program in the container does.
    """

    token = "dreamseed:inference:Autoscaler"  # noqa: S105 - a resource's type token, not a secret

    account: pulumi.Output[str]
    """Who it is at Google Cloud, as an e-mail address."""

    def __init__(self, name: str, args: AutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service, prefix = args.service, f"{args.service.name}-autoscaler"
        account = serviceaccount.Account(
            prefix,
            account_id=prefix,
            project=service.gcp_project,
            display_name="Makes and deletes spot workers",
            opts=self.child(depends_on=list(args.enabled)),
        )
        role = projects.IAMCustomRole(
            prefix,
            role_id=prefix.replace("-", "_"),
            project=service.gcp_project,
            title="Makes and deletes machines",
            permissions=list(PERMISSIONS),
            opts=self.child(depends_on=list(args.enabled)),
        )
        grants: list[pulumi.Resource] = [
            projects.IAMMember(
                prefix,
                project=service.gcp_project,
                role=role.name,
                member=account.member,
                condition=projects.IAMMemberConditionArgs(
                    title="Workers only",
                    description="No machine but those whose names the autoscaler gives",
                    expression=WORKERS_ONLY.format(owner=args.owner),
                ),
                opts=self.child(),
            ),
            serviceaccount.IAMMember(
                f"{prefix}-worker",
                service_account_id=args.worker_account,
                role="roles/iam.serviceAccountUser",
                member=account.member,
                opts=self.child(),
            ),
        ]
        if args.api is not None:
            grants += self._let_scale(args, args.api, account)
        key = args.key_generations.declared(
            prefix, lambda name: serviceaccount.Key(name, service_account_id=account.name, opts=self.child())
        )
        secrets = {
            **args.secrets,
            ProvidedSecret.AUTOSCALER_KEY: key.private_key.apply(lambda text: base64.b64decode(text).decode()),
            ProvidedSecret.WORKER_TEMPLATE: pulumi.Output.from_input(args.template),
        }
        declare_service(args.plan, args.hosts, secrets, self, depends_on=grants)
        self.publish(account=account.email)

    def _let_scale(
        self, args: AutoscalerArgs, api: ScaledApi, account: serviceaccount.Account
    ) -> list[pulumi.Resource]:
        name, project = f"{args.service.name}-autoscaler-api", args.service.gcp_project
        role = projects.IAMCustomRole(
            name,
            role_id=name.replace("-", "_"),
            project=project,
            title="Keeps the API's instances warm",
            permissions=list(API_PERMISSIONS),
            opts=self.child(depends_on=list(args.enabled)),
        )
        return [
            cloudrunv2.ServiceIamMember(
                name,
                name=api.service_name,
                project=project,
                location=args.service.region,
                role=role.name,
                member=account.member,
                opts=self.child(),
            ),
            serviceaccount.IAMMember(
                name,
                service_account_id=api.account,
                role="roles/iam.serviceAccountUser",
                member=account.member,
                opts=self.child(),
            ),
        ]
