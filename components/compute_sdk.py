"""Those classes of `pulumi_gcp.compute` that the program uses, imported one module at a time (see `light_sdk`)."""

from __future__ import annotations

from components import light_sdk

# isort: split
from pulumi_gcp.compute._inputs import (
    BackendServiceBackendArgs,
    ExternalVpnGatewayInterfaceArgs,
    FirewallAllowArgs,
    InstanceAttachedDiskArgs,
    InstanceBootDiskArgs,
    InstanceBootDiskInitializeParamsArgs,
    InstanceNetworkInterfaceArgs,
    InstanceServiceAccountArgs,
    InstanceShieldedInstanceConfigArgs,
    InstanceTemplateDiskArgs,
    InstanceTemplateGuestAcceleratorArgs,
    InstanceTemplateNetworkInterfaceAccessConfigArgs,
    InstanceTemplateNetworkInterfaceArgs,
    InstanceTemplateSchedulingArgs,
    InstanceTemplateSchedulingMaxRunDurationArgs,
    InstanceTemplateServiceAccountArgs,
    InstanceTemplateShieldedInstanceConfigArgs,
    RegionNetworkEndpointGroupCloudRunArgs,
    RouterBgpArgs,
    RouterNatSubnetworkArgs,
    RouterPeerAdvertisedIpRangeArgs,
)
from pulumi_gcp.compute.address import Address
from pulumi_gcp.compute.backend_service import BackendService
from pulumi_gcp.compute.disk import Disk
from pulumi_gcp.compute.external_vpn_gateway import ExternalVpnGateway
from pulumi_gcp.compute.firewall import Firewall
from pulumi_gcp.compute.global_address import GlobalAddress
from pulumi_gcp.compute.global_forwarding_rule import GlobalForwardingRule
from pulumi_gcp.compute.ha_vpn_gateway import HaVpnGateway
from pulumi_gcp.compute.instance import Instance
from pulumi_gcp.compute.instance_template import InstanceTemplate
from pulumi_gcp.compute.network import Network
from pulumi_gcp.compute.region_network_endpoint_group import RegionNetworkEndpointGroup
from pulumi_gcp.compute.router import Router
from pulumi_gcp.compute.router_interface import RouterInterface
from pulumi_gcp.compute.router_nat import RouterNat
from pulumi_gcp.compute.router_peer import RouterPeer
from pulumi_gcp.compute.subnetwork import Subnetwork
from pulumi_gcp.compute.target_https_proxy import TargetHttpsProxy
from pulumi_gcp.compute.url_map import URLMap
from pulumi_gcp.compute.vpn_tunnel import VPNTunnel

LOADED_FROM = light_sdk.register("pulumi_gcp.compute", light_sdk.MODULES["pulumi_gcp.compute"])

__all__ = [
    "Address",
    "BackendService",
    "BackendServiceBackendArgs",
    "Disk",
    "ExternalVpnGateway",
    "ExternalVpnGatewayInterfaceArgs",
    "Firewall",
    "FirewallAllowArgs",
    "GlobalAddress",
    "GlobalForwardingRule",
    "HaVpnGateway",
    "Instance",
    "InstanceAttachedDiskArgs",
    "InstanceBootDiskArgs",
    "InstanceBootDiskInitializeParamsArgs",
    "InstanceNetworkInterfaceArgs",
    "InstanceServiceAccountArgs",
    "InstanceShieldedInstanceConfigArgs",
    "InstanceTemplate",
    "InstanceTemplateDiskArgs",
    "InstanceTemplateGuestAcceleratorArgs",
    "InstanceTemplateNetworkInterfaceAccessConfigArgs",
    "InstanceTemplateNetworkInterfaceArgs",
    "InstanceTemplateSchedulingArgs",
    "InstanceTemplateSchedulingMaxRunDurationArgs",
    "InstanceTemplateServiceAccountArgs",
    "InstanceTemplateShieldedInstanceConfigArgs",
    "Network",
    "RegionNetworkEndpointGroup",
    "RegionNetworkEndpointGroupCloudRunArgs",
    "Router",
    "RouterBgpArgs",
    "RouterInterface",
    "RouterNat",
    "RouterNatSubnetworkArgs",
    "RouterPeer",
    "RouterPeerAdvertisedIpRangeArgs",
    "Subnetwork",
    "TargetHttpsProxy",
    "URLMap",
    "VPNTunnel",
]
