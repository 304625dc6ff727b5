"""What stands by at Google Cloud for the day that the servers are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import pulumi

from components.api import Egress
from components.base import Component
from components.recovery_refresh import RefreshArgs, declare_refresh
from components.recovery_restore import RestoreArgs, declare_restore
from components.recovery_standby import declare_standby
from components.secrets import declare_password
from dreamseed.config.service import Service
from dreamseed.planning.keys import FIRST, Generations
from dreamseed.planning.recovery import RecoveryPlan, secret_prefix


@dataclass(frozen=True, kw_only=True)
class DisasterRecoveryArgs:
    """What `DisasterRecovery` needs.

    `image` is the servers' PostgreSQL image, `tunnel_image` the API's sidecar; `secrets` by name: the
    source's password, the tunnel's service token, the archive's key and cipher; `callers` the ranges that
    may reach a restored database; `peering` and `enabled` what must exist first; `generations` those of the
    instance's password.
    """

    service: Service
    plan: RecoveryPlan
    image: str
    tunnel_image: str
    egress: Egress
    restore_address: IPv4Address
    callers: Sequence[IPv4Network]
    secrets: Mapping[str, pulumi.Input[str]]
    peering: Sequence[pulumi.Resource]
    enabled: Sequence[pulumi.Resource] = ()
    generations: Generations = FIRST


class DisasterRecovery(Component):
    """A Cloud SQL instance that is loaded by the clock, and, while a disaster lasts, a VM that restores the archive.

    The VM bears the RPO: it replays the WAL archive to its end. The instance is as old as its last load,
    `refresh_hours` and the load's own time. From `landing` to `standby` the same instance changes in place.
    Declares no change stream: an instance with HA cannot subscribe, so one would be a process of the
    owners' own that writes SQL to it. Fencing the lost primary, and going back, are the runbook's. Source:
    docs/surprises.md, section 2, 2026-11-22.
    """

    token = "dreamseed:recovery:DisasterRecovery"  # noqa: S105 - a resource's type token, not a secret

    instance: pulumi.Output[str]
    """Name of the Cloud SQL instance."""
    standby_address: pulumi.Output[str]
    """Its private address."""
    job: pulumi.Output[str]
    """The job that loads it; it can be run by hand."""
    restore_address: str | None
    """Where the restored database answers, null while there is none."""

    def __init__(self, name: str, args: DisasterRecoveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        prefix = secret_prefix(args.service.name)
        password = declare_password(self, f"{prefix}-postgres", args.generations).current
        instance = declare_standby(
            self, args.service, args.plan, args.egress.network, password, [*args.peering, *args.enabled]
        )
        job = declare_refresh(
            self,
            RefreshArgs(
                service=args.service,
                plan=args.plan,
                image=args.image,
                tunnel_image=args.tunnel_image,
                egress=args.egress,
                instance=instance,
                secrets={**args.secrets, "target-password": password},
                enabled=args.enabled,
            ),
        )
        declare_restore(
            self,
            RestoreArgs(
                service=args.service,
                plan=args.plan,
                egress=args.egress,
                address=args.restore_address,
                callers=args.callers,
                secrets=args.secrets,
                enabled=args.enabled,
            ),
        )
        self.publish(
            instance=instance.name,
            standby_address=instance.private_ip_address,
            job=job.name,
            restore_address=str(args.restore_address) if args.plan.restoring else None,
        )
