"""How the edge reaches the API: a domain mapping (free, a preview feature) or a load balancer (a fixed monthly fee).

A plain proxied record that names the ``run.app`` address would not do: Cloud Run knows its services by the
Host header. Either way the record stands behind Cloudflare's proxy. Source: docs/surprises.md, section 3
and 1.1, 2026-11-22.
"""

from __future__ import annotations

import pulumi
from pulumi_gcp import certificatemanager, cloudrun, cloudrunv2

from components.base import Component
from components.cloudflare_sdk import DnsRecord
from components.compute_sdk import (
    BackendService,
    BackendServiceBackendArgs,
    GlobalAddress,
    GlobalForwardingRule,
    RegionNetworkEndpointGroup,
    RegionNetworkEndpointGroupCloudRunArgs,
    TargetHttpsProxy,
    URLMap,
)
from components.labels import labels
from components.private_names import AUTOMATIC_TTL
from dreamseed.config.cloud import Api, Exposure
from dreamseed.config.service import Service

MAPPED_TARGET = "ghs.googlehosted.com"
"""Where mapped subdomains point. Source: Cloud Run documentation, mapping custom domains, 2026-11-22."""


def declare_exposure(
    parent: Component,
    service: Service,
    api: Api,
    hostname: str,
    zone_id: pulumi.Input[str],
    run: cloudrunv2.Service,
) -> None:
    """Declare what leads from `hostname` to the Cloud Run service `run`, and the record that names it.

    A mapping asks for the domain's verification with Google once, by hand. Its first certificate needs
    Google to see the domain: when it has not come after an hour, switch the record's proxy off by hand
    until it has. Renewals pass through, because the edge's redirect to HTTPS leaves the challenge's path
    alone (see `EdgeZone`).
    """
    if api.exposure is Exposure.LOAD_BALANCER:
        kind, content = "A", _balancer(parent, service, api, hostname, zone_id, run)
    else:
        cloudrun.DomainMapping(
            hostname,
            name=hostname,
            location=service.region,
            project=service.gcp_project,
            metadata=cloudrun.DomainMappingMetadataArgs(namespace=service.gcp_project),
            spec=cloudrun.DomainMappingSpecArgs(route_name=run.name),
            opts=parent.child(),
        )
        kind, content = "CNAME", pulumi.Output.from_input(MAPPED_TARGET)
    DnsRecord(
        hostname,
        zone_id=zone_id,
        name=hostname,
        type=kind,
        content=content,
        proxied=True,
        ttl=AUTOMATIC_TTL,
        # A name holds a CNAME or addresses, never both: when the exposure changes, the old record goes first.
        opts=parent.child(delete_before_replace=True),
    )


def _balancer(
    parent: Component,
    service: Service,
    api: Api,
    hostname: str,
    zone_id: pulumi.Input[str],
    run: cloudrunv2.Service,
) -> pulumi.Output[str]:
    """Declare a global application load balancer before the service; return its address."""
    name, project = f"{api.name}-balancer", service.gcp_project
    address = GlobalAddress(
        name,
        name=name,
        project=project,
        labels=labels(service.name),
        deletion_policy="PREVENT",
        opts=parent.stateful(),
    )
    group = RegionNetworkEndpointGroup(
        name,
        name=name,
        project=project,
        region=service.region,
        network_endpoint_type="SERVERLESS",
        cloud_run=RegionNetworkEndpointGroupCloudRunArgs(service=run.name),
        opts=parent.child(),
    )
    backend = BackendService(
        name,
        name=name,
        project=project,
        load_balancing_scheme="EXTERNAL_MANAGED",
        protocol="HTTPS",
        backends=[BackendServiceBackendArgs(group=group.id)],
        opts=parent.child(),
    )
    routes = URLMap(name, name=name, project=project, default_service=backend.id, opts=parent.child())
    proxy = TargetHttpsProxy(
        name,
        name=name,
        project=project,
        url_map=routes.id,
        certificate_map=_certificate(parent, service, api, hostname, zone_id).id.apply(
            lambda identifier: f"//certificatemanager.googleapis.com/{identifier}"
        ),
        opts=parent.child(),
    )
    GlobalForwardingRule(
        name,
        name=name,
        project=project,
        load_balancing_scheme="EXTERNAL_MANAGED",
        ip_address=address.address,
        port_range="443",
        target=proxy.id,
        labels=labels(service.name),
        opts=parent.child(),
    )
    return address.address


def _certificate(
    parent: Component, service: Service, api: Api, hostname: str, zone_id: pulumi.Input[str]
) -> certificatemanager.CertificateMap:
    """Declare a certificate that Google issues by a DNS record, since behind a proxy it sees no other proof."""
    name, project = api.name, service.gcp_project
    authorization = certificatemanager.DnsAuthorization(
        name, name=name, project=project, domain=hostname, labels=labels(service.name), opts=parent.child()
    )
    proof = authorization.dns_resource_records[0]
    DnsRecord(
        f"{hostname}-certificate",
        zone_id=zone_id,
        name=proof.name.apply(lambda text: (text or "").rstrip(".")),
        type="CNAME",
        content=proof.data.apply(lambda text: (text or "").rstrip(".")),
        proxied=False,
        ttl=AUTOMATIC_TTL,
        opts=parent.child(),
    )
    certificate = certificatemanager.Certificate(
        name,
        name=name,
        project=project,
        managed=certificatemanager.CertificateManagedArgs(domains=[hostname], dns_authorizations=[authorization.id]),
        labels=labels(service.name),
        opts=parent.child(),
    )
    certificates = certificatemanager.CertificateMap(
        name, name=name, project=project, labels=labels(service.name), opts=parent.child()
    )
    certificatemanager.CertificateMapEntry(
        name,
        name=name,
        project=project,
        map=certificates.name,
        hostname=hostname,
        certificates=[certificate.id],
        labels=labels(service.name),
        opts=parent.child(),
    )
    return certificates
