from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from components.private_network import PrivateNetwork, PrivateNetworkArgs
from dreamseed.planning.cloud_network import plan_cloud_network
from dreamseed.planning.keys import Generations
from tests.components.builders import SSH_KEY, declare_network
from tests.components.declaring import changed, declare, stage


@pytest.mark.parametrize("letter", ["a", "b", "c", "d", "e"])
def test_the_network_and_its_subnet_are_the_same_in_all_stages(letter: str) -> None:
    declared = declare_network(stage(letter))
    assert declared.one("Network").inputs["autoCreateSubnetworks"] is False
    subnet = declared.one("Subnetwork").inputs
    assert (subnet["ipCidrRange"], subnet["privateIpGoogleAccess"]) == ("10.40.0.0/20", True)


@pytest.mark.parametrize("letter", ["a", "b", "c"])
def test_early_stages_have_no_link_no_way_out_and_no_machine(letter: str) -> None:
    declared = declare_network(stage(letter))
    assert {resource.type.rsplit(":", 1)[-1] for resource in declared.resources} == {"Network", "Subnetwork"}


def test_the_vpn_has_two_tunnels_each_with_a_session_on_a_network_of_its_own() -> None:
    declared = declare_network(stage("e"))
    tunnels = declared.all("VPNTunnel")
    assert [tunnel.inputs["vpnGatewayInterface"] for tunnel in tunnels] == [0, 1]
    assert all(tunnel.secret_paths == ("sharedSecret",) for tunnel in tunnels)
    assert tunnels[0].inputs["sharedSecret"] != tunnels[1].inputs["sharedSecret"]
    networks = set()
    for interface, peer in zip(declared.all("RouterInterface"), declared.all("RouterPeer"), strict=True):
        link = ip_network(interface.inputs["ipRange"], strict=False)
        networks.add(link)
        assert link.is_link_local
        assert ip_address(peer.inputs["ipAddress"]) in link
        assert ip_address(peer.inputs["peerIpAddress"]) in link
        assert peer.inputs["peerAsn"] == 64_513
    assert len(networks) == 2
    assert declared.outputs["vpn_addresses"] == ["198.51.100.1", "198.51.100.2"]


def test_a_tunnel_in_exchange_takes_the_new_secret_and_the_other_tunnel_stays_as_it_is() -> None:
    rest = declare_network(stage("e"))
    during = declare_network(stage("e"), {"vpn-0": Generations(2, with_previous=True)})
    before, after = ([one.inputs["sharedSecret"] for one in each.all("VPNTunnel")] for each in (rest, during))
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)
    protected = {one.name: one.protect for one in during.all("RandomPassword")}
    assert protected == {"dreamseed-vpn-0": False, "dreamseed-vpn-0-2": True, "dreamseed-vpn-1": True}


def test_the_owners_end_of_the_vpn_is_the_one_address_of_their_router() -> None:
    peer = declare_network(stage("e")).one("ExternalVpnGateway").inputs
    assert peer["redundancyType"] == "SINGLE_IP_INTERNALLY_REDUNDANT"
    vpn = stage("e").network.vpn
    assert vpn is not None
    assert peer["interfaces"] == [{"id": 0, "ipAddress": str(vpn.peer_address)}]


def test_the_router_tells_the_owners_of_managed_services_too() -> None:
    for peer in declare_network(stage("e")).all("RouterPeer"):
        assert peer.inputs["advertiseMode"] == "CUSTOM"
        assert peer.inputs["advertisedGroups"] == ["ALL_SUBNETS"]
        assert [each["range"] for each in peer.inputs["advertisedIpRanges"]] == ["10.40.16.0/20"]


def test_the_witness_has_no_public_address_no_roles_and_its_votes_on_a_disk_that_outlives_it() -> None:
    declared = declare_network(stage("e"))
    witness = declared.one("Instance").inputs
    assert witness["deletionProtection"] is True
    # A larger machine is the same one, stopped and started.
    assert witness["allowStoppingForUpdate"] is True
    assert "accessConfigs" not in witness["networkInterfaces"][0]
    assert witness["networkInterfaces"][0]["networkIp"] == "10.40.0.10"
    assert witness["bootDisk"]["autoDelete"] is False
    assert witness["bootDisk"]["source"] == "https://compute/dreamseed-witness"
    assert witness["metadata"]["enable-oslogin"] == "FALSE"
    assert SSH_KEY in witness["metadata"]["user-data"]
    assert not any("member" in resource.inputs for resource in declared.resources)


def test_only_the_servers_reach_the_witness_and_only_on_the_ports_that_it_serves() -> None:
    rule = declare_network(stage("e")).one("Firewall").inputs
    assert rule["sourceRanges"] == ["10.20.0.0/24"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22", "2379", "2380"]}]
    assert rule["targetTags"] == ["witness"]


def test_a_witness_without_a_key_is_refused() -> None:
    config = stage("e")
    args = PrivateNetworkArgs(
        service=config.service, network=config.network, plan=plan_cloud_network(config, "stage-e")
    )
    with pytest.raises(ValueError, match="public SSH key"):
        declare(lambda: PrivateNetwork("network", args))


def test_machines_without_a_public_address_call_out_by_one_static_address() -> None:
    declared = declare_network(stage("e"))
    out = declared.one("RouterNat").inputs
    assert out["natIpAllocateOption"] == "MANUAL_ONLY"
    assert out["natIps"] == ["https://compute/dreamseed-out"]
    assert declared.one("Address").protect


def test_a_disaster_before_the_vpn_gets_a_way_out_of_its_own() -> None:
    declared = declare_network(changed(stage("d"), "disaster_recovery", active=True))
    assert declared.has("RouterNat")
    assert not declared.has("VPNTunnel")


def test_managed_services_get_a_range_that_no_instance_stands_in() -> None:
    declared = declare_network(stage("d"))
    reserved = declared.one("GlobalAddress").inputs
    services = ip_network(f"{reserved['address']}/{reserved['prefixLength']}")
    assert not services.overlaps(ip_network(declared.one("Subnetwork").inputs["ipCidrRange"]))
    assert declared.one("Connection").inputs["reservedPeeringRanges"] == ["dreamseed-services"]
