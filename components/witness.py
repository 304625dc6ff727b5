"""The witness: a small VM that votes, so that either of two servers may be lost."""

from __future__ import annotations

import pulumi
from pulumi_gcp import serviceaccount

from components.base import Component
from components.compute_sdk import (
    Disk,
    Instance,
    InstanceBootDiskArgs,
    InstanceNetworkInterfaceArgs,
    InstanceServiceAccountArgs,
    InstanceShieldedInstanceConfigArgs,
    Subnetwork,
)
from components.labels import labels
from dreamseed.catalog.gcp import CONTAINER_OS_IMAGE
from dreamseed.config.cloud import Witness
from dreamseed.config.service import Service

WITNESS_TAG = "witness"
OPERATOR = "dreamseed"
"""The user by whom the Docker Engine is reached."""
_CLOUD_CONFIG = """#cloud-config
users:
  - name: {user}
    groups: docker
    ssh_authorized_keys:
      - {key}
"""


def declare_witness(
    parent: Component,
    service: Service,
    witness: Witness,
    subnetwork: Subnetwork,
    ssh_key: pulumi.Input[str],
) -> Instance:
    """Declare the VM on a disk of its own: the VM can be made again, the disk holds the votes and stays.

    It has no public address and an account without any role. Its only user is the one that Docker is
    reached by.
    """
    name = f"{service.name}-witness"
    disk = Disk(
        name,
        name=name,
        project=service.gcp_project,
        zone=service.zone,
        type="pd-balanced",
        size=witness.disk_gib,
        image=CONTAINER_OS_IMAGE,
        labels=labels(service.name),
        deletion_policy="PREVENT",
        # The network waits for the project's APIs.
        opts=parent.stateful(depends_on=[subnetwork]),
    )
    account = serviceaccount.Account(
        name,
        account_id=name,
        project=service.gcp_project,
        display_name="Witness, without roles",
        opts=parent.child(depends_on=[subnetwork]),
    )
    return Instance(
        name,
        name=name,
        project=service.gcp_project,
        zone=service.zone,
        machine_type=witness.machine_type,
        boot_disk=InstanceBootDiskArgs(source=disk.self_link, auto_delete=False),
        network_interfaces=[InstanceNetworkInterfaceArgs(subnetwork=subnetwork.id, network_ip=str(witness.address))],
        service_account=InstanceServiceAccountArgs(email=account.email, scopes=["cloud-platform"]),
        metadata={
            "enable-oslogin": "FALSE",
            "block-project-ssh-keys": "TRUE",
            "user-data": pulumi.Output.from_input(ssh_key).apply(
                lambda key: _CLOUD_CONFIG.format(user=OPERATOR, key=key.strip())
            ),
        },
        shielded_instance_config=InstanceShieldedInstanceConfigArgs(enable_secure_boot=True),
        tags=[WITNESS_TAG],
        labels=labels(service.name),
        allow_stopping_for_update=True,
        deletion_protection=True,
        opts=parent.child(),
    )
