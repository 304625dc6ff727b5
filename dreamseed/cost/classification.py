"""Every resource that the program declares is in exactly one of four lists: priced, driven by usage, free, unpriced.

Type tokens are those of the SDKs, as in `dreamseed/catalog/stateful.py`. A type that stands nowhere is unpriced:
nothing is free because nobody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.catalog.prices.compute import on_demand_sku, spot_sku

Inputs = Mapping[str, Any]


class CostKind(StrEnum):
    """The four lists."""

    PRICED = "priced"
    USAGE = "usage"
    FREE = "free"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """In which list a resource is, the SKUs that its estimate must have a line of, and why."""

    kind: CostKind
    skus: tuple[str, ...] = ()
    reason: str = ""


FREE: Mapping[str, str] = {
    "cloudflare:index/dnsRecord:DnsRecord": "records are part of every zone plan",
    "cloudflare:index/ruleset:Ruleset": "rules are part of the zone plan, within its limits",
    "cloudflare:index/tieredCache:TieredCache": "Smart Tiered Cache is part of every zone plan",
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": "Zero Trust is free below 50 users",
    "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy": "Zero Trust is free below 50 users",
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": "a token is no user",
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": "tunnels are free",
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": "tunnels are free",
    "cloudflare:index/zoneSetting:ZoneSetting": "settings are part of the zone plan",
    "docker:index/container:Container": "runs on a host whose electricity or machine is priced",
    "docker:index/network:Network": "exists only on a host that is priced",
    "docker:index/remoteImage:RemoteImage": "public registries charge nothing; the own one's egress is in the NAT line",
    "docker:index/volume:Volume": "lies on a disk of a host that is priced",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "access rights are free",
    "gcp:billing/budget:Budget": "budgets and their alerts are free",
    "gcp:cloudrun/domainMapping:DomainMapping": "mapping a domain, with its certificate, is free",
    "gcp:cloudrunv2/jobIamMember:JobIamMember": "access rights are free",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "access rights are free",
    "gcp:certificatemanager/certificate:Certificate": "the first 100 certificates are free",
    "gcp:certificatemanager/certificateMap:CertificateMap": "part of the first 100 certificates",
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": "part of the first 100 certificates",
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": "part of the first 100 certificates",
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": "describes the owners' router; tunnels are priced",
    "gcp:compute/firewall:Firewall": "VPC firewall rules are free",
    "gcp:compute/haVpnGateway:HaVpnGateway": "tunnels are priced, the gateway is not",
    "gcp:compute/network:Network": "networks are free, traffic is priced",
    "gcp:compute/router:Router": "routers are free, NAT and tunnels are priced",
    "gcp:compute/routerInterface:RouterInterface": "part of a tunnel, which is priced",
    "gcp:compute/routerPeer:RouterPeer": "part of a tunnel, which is priced",
    "gcp:compute/subnetwork:Subnetwork": "networks are free, traffic is priced",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": "part of the load balancer",
    "gcp:compute/backendService:BackendService": "part of the load balancer",
    "gcp:compute/uRLMap:URLMap": "part of the load balancer",
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": "part of the load balancer",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": "identities are free",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": "identities are free",
    "gcp:monitoring/notificationChannel:NotificationChannel": "e-mail and Pub/Sub channels are free",
    "gcp:projects/iAMCustomRole:IAMCustomRole": "access rights are free",
    "gcp:projects/iAMMember:IAMMember": "access rights are free",
    "gcp:projects/service:Service": "an enabled API costs nothing",
    "gcp:secretmanager/secret:Secret": "its versions are priced",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "access rights are free",
    "gcp:serviceaccount/account:Account": "identities are free",
    "gcp:serviceaccount/key:Key": "identities are free",
    "gcp:serviceaccount/iAMMember:IAMMember": "access rights are free",
    "gcp:servicenetworking/connection:Connection": "a link to managed services is free",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "access rights are free",
    "grafana:cloud/accessPolicy:AccessPolicy": "part of the stack, which is priced",
    "grafana:cloud/accessPolicyToken:AccessPolicyToken": "part of the stack, which is priced",
    "pulumi-python:dynamic/b2:ApplicationKey": "keys are free",
    "pulumi:providers:docker": "a connection, not a resource",
    "pulumi:providers:gcp": "a connection, not a resource",
    "random:index/randomId:RandomId": "made by the engine",
    "random:index/randomPassword:RandomPassword": "made by the engine",
}
"""Types that cost nothing, and why."""


def _machine(inputs: Inputs) -> tuple[str, ...]:
    machine = str(inputs.get("machineType", ""))
    if machine.startswith("n2-custom-"):
        return ("n2-custom-cpu", "n2-custom-memory")
    return (on_demand_sku(machine),)


def _template(inputs: Inputs) -> tuple[str, ...]:
    machine = str(inputs.get("machineType", ""))
    spot = (inputs.get("scheduling") or {}).get("provisioningModel") == "SPOT"
    address = "address-in-use-spot" if spot else "address-in-use"
    return (spot_sku(machine) if spot else on_demand_sku(machine), "disk-balanced", address)


def _disk(inputs: Inputs) -> tuple[str, ...]:
    return (str(inputs.get("type", "")).replace("pd-", "disk-", 1),)


def _cloud_run(inputs: Inputs) -> tuple[str, ...]:
    template = inputs.get("template") or {}
    idle = all((one.get("resources") or {}).get("cpuIdle") for one in template.get("containers") or [{}])
    if not idle:
        return ("run-instance-cpu", "run-instance-memory")
    kept = (inputs.get("scaling") or template.get("scaling") or {}).get("minInstanceCount")
    warm = ("run-idle-cpu", "run-idle-memory") if kept else ()
    return ("run-request-cpu", "run-request-memory", "run-requests", *warm)


def _cloud_sql(inputs: Inputs) -> tuple[str, ...]:
    settings = inputs.get("settings") or {}
    kind = str(settings.get("availabilityType", "")).lower()
    backups = ("sql-backup",) if (settings.get("backupConfiguration") or {}).get("enabled") else ()
    return (f"sql-{kind}-cpu", f"sql-{kind}-memory", f"sql-{kind}-ssd", *backups)


def _zone_plan(inputs: Inputs) -> tuple[str, ...]:
    plan = (inputs.get("ratePlan") or {}).get("id", "")
    return (f"cloudflare-{plan}-{inputs.get('frequency', '')}",)


def _global_address(inputs: Inputs) -> tuple[str, ...]:
    return () if inputs.get("addressType") == "INTERNAL" else ("balancer-rule",)


def _b2_bucket(inputs: Inputs) -> tuple[str, ...]:
    return ("b2-storage-second-account",) if inputs.get("account") == "second" else ("b2-storage", "b2-egress")


PRICED: Mapping[str, Callable[[Inputs], tuple[str, ...]]] = {
    "cloudflare:index/zoneSubscription:ZoneSubscription": _zone_plan,
    "gcp:cloudscheduler/job:Job": lambda _: ("scheduler-job",),
    "gcp:compute/address:Address": lambda _: ("address-in-use",),
    "gcp:compute/disk:Disk": _disk,
    "gcp:compute/globalAddress:GlobalAddress": _global_address,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": lambda _: ("balancer-rule", "balancer-data"),
    "gcp:compute/instance:Instance": _machine,
    "gcp:compute/routerNat:RouterNat": lambda _: ("nat-gateway", "nat-data"),
    "gcp:compute/vPNTunnel:VPNTunnel": lambda _: ("vpn-tunnel", "egress-vpn"),
    "gcp:monitoring/alertPolicy:AlertPolicy": lambda _: ("alert-condition", "alert-series"),
    "gcp:secretmanager/secretVersion:SecretVersion": lambda _: ("secret-version", "secret-access"),
    "gcp:sql/databaseInstance:DatabaseInstance": _cloud_sql,
}
"""Types with a price of their own, and by which SKUs their inputs are billed."""

USAGE: Mapping[str, Callable[[Inputs], tuple[str, ...]]] = {
    "cloudflare:index/zone:Zone": lambda _: ("domain-year",),
    "gcp:artifactregistry/repository:Repository": lambda _: ("registry-storage",),
    "gcp:cloudrunv2/job:Job": lambda _: ("run-instance-cpu", "run-instance-memory"),
    "gcp:cloudrunv2/service:Service": lambda i: (*_cloud_run(i), "egress-internet", "logging-ingested"),
    "gcp:compute/instanceTemplate:InstanceTemplate": _template,
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": lambda _: ("uptime-check",),
    "gcp:pubsub/topic:Topic": lambda _: ("pubsub-volume",),
    "gcp:storage/bucket:Bucket": lambda _: ("gcs-standard", "gcs-class-a"),
    "grafana:cloud/stack:Stack": lambda _: (),
    "pulumi-python:dynamic/b2:Bucket": _b2_bucket,
}
"""Types that cost what is used of them. The hosted Grafana's plan is the account's, not the stack's."""

WITHOUT_RESOURCE: Mapping[str, str] = {
    "cloudflare-free": "a zone without a subscription",
    "electricity-flat": "the servers are the owners'",
    "electricity-kepco_residential": "the servers are the owners'",
    "electricity-kepco_industrial": "the servers are the owners'",
    "electricity-kepco_industrial-contract": "the servers are the owners'",
    "gpu-rtx-5090": "the cards are the owners'",
    "grafana-free": "the account's plan",
    "grafana-pro": "the account's plan",
    "grafana-series": "the account's plan",
    "reserve": "money set aside",
    "static-address-on-premises": "the owners' line",
}
"""SKUs that no resource stands for, and why they are estimated."""


def classify(type_token: str, inputs: Inputs, book: PriceBook = BOOK) -> Classification:
    """Return the list that a resource is in; a type or an SKU that nobody knows is unpriced."""
    reason = FREE.get(type_token)
    if reason is not None:
        return Classification(kind=CostKind.FREE, reason=reason)
    for kind, types in ((CostKind.PRICED, PRICED), (CostKind.USAGE, USAGE)):
        skus_of = types.get(type_token)
        if skus_of is not None:
            return _with_prices(kind, skus_of(inputs), book)
    return Classification(kind=CostKind.UNPRICED, reason="a type that nobody has looked up")


def _with_prices(kind: CostKind, skus: tuple[str, ...], book: PriceBook) -> Classification:
    unknown = [sku for sku in skus if sku not in book.skus]
    if unknown:
        return Classification(kind=CostKind.UNPRICED, skus=skus, reason=f"the price book has no {', '.join(unknown)}")
    if not skus:
        return Classification(kind=CostKind.FREE, reason="an internal range, or billed by the account's plan")
    return Classification(kind=kind, skus=skus)
