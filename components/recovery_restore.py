"""The VM that restores the WAL archive while a disaster lasts, and what it needs to be made quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import pulumi
from pulumi_gcp import artifactregistry, serviceaccount

from components.api import Egress
from components.base import Component
from components.compute_sdk import (
    Disk,
    Firewall,
    FirewallAllowArgs,
    Instance,
    InstanceAttachedDiskArgs,
    InstanceBootDiskArgs,
    InstanceBootDiskInitializeParamsArgs,
    InstanceNetworkInterfaceArgs,
    InstanceServiceAccountArgs,
    InstanceShieldedInstanceConfigArgs,
)
from components.labels import labels
from components.secret_manager import store_secret
from dreamseed.catalog.gcp import CONTAINER_OS_IMAGE
from dreamseed.config.service import Service
from dreamseed.planning.recovery import RESTORE_PORT, RecoveryPlan, secret_prefix

RESTORE_TAG = "restore"
BOOT_DISK_GIB = 20
DATA_DEVICE = "data"
"""How the script finds the disk: ``/dev/disk/by-id/google-data``."""


@dataclass(frozen=True, kw_only=True)
class RestoreArgs:
    """What the restore needs; `secrets` by the plan's `restore_secrets`, `callers` the ranges that may reach it."""

    service: Service
    plan: RecoveryPlan
    egress: Egress
    address: IPv4Address
    callers: Sequence[IPv4Network]
    secrets: Mapping[str, pulumi.Input[str]]
    enabled: Sequence[pulumi.Resource]


def declare_restore(parent: Component, args: RestoreArgs) -> None:
    """Declare account, secrets and firewall always, so that a disaster waits for nothing; the VM only while it lasts.

    The disk is protected: what was restored becomes the database, and ending the disaster must not end it.
    Take it back to the servers first, then unprotect it by hand.
    """
    service, name = args.service, f"{secret_prefix(args.service.name)}-restore"
    account = serviceaccount.Account(
        name,
        account_id=name,
        project=service.gcp_project,
        display_name="Restores the archive",
        opts=parent.child(depends_on=list(args.enabled)),
    )
    stored = [
        store_secret(
            parent, service, f"{secret_prefix(service.name)}-{secret}", args.secrets[secret], account, args.enabled
        )
        for secret in args.plan.restore_secrets
    ]
    reader = artifactregistry.RepositoryIamMember(
        name,
        repository=service.name,
        project=service.gcp_project,
        location=service.region,
        role="roles/artifactregistry.reader",
        member=account.member,
        opts=parent.child(depends_on=list(args.enabled)),
    )
    Firewall(
        name,
        name=name,
        project=service.gcp_project,
        network=args.egress.network,
        direction="INGRESS",
        source_ranges=[str(each) for each in args.callers],
        target_tags=[RESTORE_TAG],
        allows=[FirewallAllowArgs(protocol="tcp", ports=[str(RESTORE_PORT)])],
        opts=parent.child(),
    )
    if args.plan.restoring:
        _machine(parent, args, name, account, [reader, *(secret.access for secret in stored)])


def _machine(
    parent: Component,
    args: RestoreArgs,
    name: str,
    account: serviceaccount.Account,
    after: Sequence[pulumi.Resource],
) -> None:
    service = args.service
    disk = Disk(
        name,
        name=name,
        project=service.gcp_project,
        zone=service.zone,
        type="pd-ssd",
        size=args.plan.restore_disk_gib,
        labels=labels(service.name),
        deletion_policy="PREVENT",
        opts=parent.stateful(),
    )
    Instance(
        name,
        name=name,
        project=service.gcp_project,
        zone=service.zone,
        machine_type=args.plan.restore_machine,
        boot_disk=InstanceBootDiskArgs(
            auto_delete=True,
            initialize_params=InstanceBootDiskInitializeParamsArgs(image=CONTAINER_OS_IMAGE, size=BOOT_DISK_GIB),
        ),
        attached_disks=[InstanceAttachedDiskArgs(source=disk.self_link, device_name=DATA_DEVICE)],
        network_interfaces=[
            InstanceNetworkInterfaceArgs(subnetwork=args.egress.subnetwork, network_ip=str(args.address))
        ],
        service_account=InstanceServiceAccountArgs(email=account.email, scopes=["cloud-platform"]),
        metadata={"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE"},
        metadata_startup_script=args.plan.restore_script,
        shielded_instance_config=InstanceShieldedInstanceConfigArgs(enable_secure_boot=True),
        tags=[RESTORE_TAG],
        labels=labels(service.name),
        allow_stopping_for_update=True,
        deletion_protection=True,
        opts=parent.child(depends_on=list(after)),
    )
