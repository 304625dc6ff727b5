"""What a spot worker with a GPU is made from; the autoscaler makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import serviceaccount

from components.base import Component
from components.compute_sdk import (
    InstanceTemplate,
    InstanceTemplateDiskArgs,
    InstanceTemplateGuestAcceleratorArgs,
    InstanceTemplateNetworkInterfaceAccessConfigArgs,
    InstanceTemplateNetworkInterfaceArgs,
    InstanceTemplateSchedulingArgs,
    InstanceTemplateSchedulingMaxRunDurationArgs,
    InstanceTemplateServiceAccountArgs,
    InstanceTemplateShieldedInstanceConfigArgs,
)
from components.labels import labels
from components.private_names import declare_private_name, declare_tunnel, tunnel_token
from components.secret_manager import store_secret
from components.secrets import declare_password
from dreamseed.catalog.gcp import CONTAINER_OS_IMAGE
from dreamseed.config.service import Service
from dreamseed.planning.burst import DISK_GIB, BurstPlan, BurstSecret, secret_prefix
from dreamseed.planning.keys import FIRST, Generations

WORKER_TAG = "gpu-burst"


@dataclass(frozen=True, kw_only=True)
class GpuBurstArgs:
    """What `GpuBurst` needs.

    `account_id` and `zone_id` are Cloudflare's, `policy_id` the Access policy that the workers' private
    name asks for; `secrets` holds every `BurstSecret` but the tunnel's token, which is made here, from a
    password of `tunnel_generations`; `enabled` what must exist first.
    """

    service: Service
    plan: BurstPlan
    account_id: str
    zone_id: pulumi.Input[str]
    policy_id: pulumi.Input[str]
    subnetwork_id: pulumi.Input[str]
    secrets: Mapping[BurstSecret, pulumi.Input[str]]
    tunnel_generations: Generations = FIRST
    enabled: Sequence[pulumi.Resource] = ()


class GpuBurst(Component):
    """Template, account, secrets and private name of the spot workers that bridge a peak.

    Declares no machine: the autoscaler makes one from the template, at most `burst.max_workers`, and
    deletes it. Each also deletes itself, when Google takes it back and after its longest run. It has a
    public address only to call out by, and no rule lets anything in: the network is closed. It may read its
    own four secrets and nothing else. A template cannot be changed: any change makes a new one. GPU quotas
    must be asked for by hand. Source: docs/surprises.md, section 8, 2026-11-22.
    """

    token = "dreamseed:inference:GpuBurst"  # noqa: S105 - a resource's type token, not a secret

    template: pulumi.Output[str]
    """What the autoscaler makes machines from."""
    account: pulumi.Output[str]
    """The full name of the account that they run as."""
    hostname: str
    """Where the workers are reached, through Access."""
    zones: Sequence[str]

    def __init__(self, name: str, args: GpuBurstArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service, prefix = args.service, secret_prefix(args.service.name)
        account = serviceaccount.Account(
            prefix,
            account_id=prefix,
            project=service.gcp_project,
            display_name="Spot worker",
            opts=self.child(depends_on=list(args.enabled)),
        )
        password = declare_password(self, f"{prefix}-tunnel", args.tunnel_generations).current
        tunnel = declare_tunnel(self, prefix, args.account_id, password, [args.plan.route])
        declare_private_name(self, args.plan.route.hostname, args.account_id, args.zone_id, args.policy_id, tunnel)
        values = {**args.secrets, BurstSecret.TUNNEL_TOKEN: tunnel_token(args.account_id, tunnel)}
        stored = [
            store_secret(self, service, f"{prefix}-{secret}", value, account, args.enabled)
            for secret, value in values.items()
        ]
        template = self._template(args, prefix, account, [secret.access for secret in stored])
        self.publish(
            template=template.self_link,
            account=account.name,
            hostname=args.plan.route.hostname,
            zones=list(args.plan.zones),
        )

    def _template(
        self,
        args: GpuBurstArgs,
        prefix: str,
        account: serviceaccount.Account,
        after: Sequence[pulumi.Resource],
    ) -> InstanceTemplate:
        plan, machine = args.plan, args.plan.machine
        accelerators = (
            [InstanceTemplateGuestAcceleratorArgs(type=machine.attached, count=machine.gpu_count)]
            if machine.attached
            else None
        )
        return InstanceTemplate(
            prefix,
            name_prefix=f"{prefix}-",
            project=args.service.gcp_project,
            region=args.service.region,
            machine_type=machine.name,
            guest_accelerators=accelerators,
            disks=[
                InstanceTemplateDiskArgs(
                    source_image=CONTAINER_OS_IMAGE,
                    boot=True,
                    auto_delete=True,
                    disk_type="pd-balanced",
                    disk_size_gb=DISK_GIB,
                )
            ],
            network_interfaces=[
                InstanceTemplateNetworkInterfaceArgs(
                    subnetwork=args.subnetwork_id,
                    access_configs=[InstanceTemplateNetworkInterfaceAccessConfigArgs()],
                )
            ],
            service_account=InstanceTemplateServiceAccountArgs(email=account.email, scopes=["cloud-platform"]),
            metadata={"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE", "enable-guest-attributes": "TRUE"},
            metadata_startup_script=plan.script,
            scheduling=InstanceTemplateSchedulingArgs(
                provisioning_model="SPOT",
                preemptible=True,
                automatic_restart=False,
                on_host_maintenance="TERMINATE",
                instance_termination_action="DELETE",
                max_run_duration=InstanceTemplateSchedulingMaxRunDurationArgs(seconds=plan.max_run_seconds),
            ),
            shielded_instance_config=InstanceTemplateShieldedInstanceConfigArgs(enable_secure_boot=True),
            tags=[WORKER_TAG],
            labels=labels(args.service.name),
            opts=self.child(depends_on=list(after)),
        )
