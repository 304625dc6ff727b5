from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.hosts import HostSpec, Lan, network
from rehearsal.hosts.network import Network, hardware_address, interface_name, with_length
from rehearsal.hosts.spec import MAXIMUM_INTERFACE_NAME, NAME

LAN = Lan(name="servers", cidr="10.20.0.0/24", gateway="10.20.0.1")
HOST = HostSpec(name="one", address="10.20.0.11", network=LAN)
NAMES = st.from_regex(NAME, fullmatch=True)


class Machine:
    """Stands for this machine: keeps the commands, and shows the addresses that it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, namespaces: set[str]) -> None:
        self.commands: list[str] = []
        self.shown: dict[str, list[str]] = {}
        self.namespaces = namespaces
        monkeypatch.setattr(network, "run", self.run)
        monkeypatch.setattr(network, "succeeds", self.succeeds)
        monkeypatch.setattr(Network, "exists", lambda _, name: name in namespaces)

    def run(self, command: Sequence[str]) -> str:
        self.commands.append(" ".join(command))
        if "-j" not in command:
            return "default via gateway" if "show" in command else ""
        return json.dumps(
            [
                {"ifname": name, "addr_info": [{"family": "inet", "local": address} for address in addresses]}
                for name, addresses in self.shown.items()
            ]
        )

    def succeeds(self, command: Sequence[str]) -> bool:
        self.commands.append(" ".join(command))
        return False

    @property
    def changes(self) -> list[str]:
        return [command for command in self.commands if " show" not in command and "sysctl" not in command]


def test_the_cable_is_never_in_the_machines_own_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, set())
    Network(prefix="t").ensure_host(HOST)
    (cable,) = (command for command in machine.commands if "veth" in command)
    assert "netns t-outside" in cable
    assert cable.endswith(f"peer name eth0 address {hardware_address('one')} netns t-one")
    assert all(
        command.startswith(("ip -n t-", "ip netns add t-", "ip link add one netns")) for command in machine.changes
    )


def test_a_whole_host_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"one", "outside"})
    machine.shown = {"eth0": ["10.20.0.11"]}
    Network(prefix="t").ensure_host(HOST)
    assert machine.changes == []


def test_a_host_that_was_made_in_part_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"one", "outside"})
    machine.shown = {"lo": ["127.0.0.1"]}
    Network(prefix="t").ensure_host(HOST)
    assert machine.changes[:2] == ["ip netns delete t-one", "ip netns add t-one"]


def test_only_missing_gateways_and_addresses_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"outside"})
    machine.shown = {"lo": ["127.0.0.1", "198.51.100.11"], "servers": ["10.20.0.1"]}
    cloud = Lan(name="cloud", cidr="10.40.0.0/16", gateway="10.40.0.1")
    Network(prefix="t").ensure_outside([LAN, cloud], ["198.51.100.11", "198.51.100.12"])
    added = [command.removeprefix("ip -n t-outside ") for command in machine.changes if " add " in command]
    assert added == [
        f"link add name cloud address {hardware_address('cloud')} type bridge",
        "address add 10.40.0.1/16 dev cloud",
        "address add 198.51.100.12/32 dev lo",
    ]


def test_a_cut_drops_both_directions_and_only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"outside"})
    Network(prefix="t").cut("10.20.0.11", "10.20.0.12")
    rules = [command.partition("iptables -w ")[2] for command in machine.commands if "-I" in command]
    assert rules == [
        "-I FORWARD -s 10.20.0.11 -d 10.20.0.12 -j DROP",
        "-I FORWARD -s 10.20.0.12 -d 10.20.0.11 -j DROP",
    ]
    assert all(command.startswith("nsenter --net=/run/netns/t-outside ") for command in machine.commands)


@given(NAMES)
def test_an_interfaces_name_is_one_the_kernel_takes(host: str) -> None:
    assert len(interface_name(host)) <= MAXIMUM_INTERFACE_NAME


@given(NAMES, NAMES)
def test_different_hosts_have_different_cables_and_cards(one: str, other: str) -> None:
    assert (interface_name(one) == interface_name(other)) is (one == other)
    assert (hardware_address(one) == hardware_address(other)) is (one == other)


def test_a_hardware_address_is_a_local_one_for_one_card() -> None:
    first = int(hardware_address("one").split(":")[0], 16)
    assert first & 0b11 == 0b10


def test_an_address_has_its_networks_length() -> None:
    assert with_length("10.40.0.10", Lan(name="cloud", cidr="10.40.0.0/16", gateway="10.40.0.1")) == "10.40.0.10/16"
