from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.hosts import HostsError, HostSpec, Lan
from rehearsal.hosts.layout import Layout
from rehearsal.hosts.spec import check

LAN = Lan(name="servers", cidr="10.20.0.0/24", gateway="10.20.0.1")
HOST = HostSpec(name="one", address="10.20.0.11", network=LAN)


def test_hosts_with_names_and_addresses_of_their_own_stand_side_by_side() -> None:
    check("t", [HOST, HostSpec(name="two", address="10.20.0.12", network=LAN)], [LAN])


@pytest.mark.parametrize(
    ("prefix", "host", "lan", "words"),
    [
        ("T", HOST, LAN, "prefix 'T' is no name"),
        ("t/..", HOST, LAN, "is no name"),
        ("t", HostSpec(name="one host", address="10.20.0.11", network=LAN), LAN, "host 'one host'"),
        ("t", HostSpec(name="outside", address="10.20.0.11", network=LAN), LAN, "outside is taken twice"),
        ("t", HostSpec(name="servers", address="10.20.0.11", network=LAN), LAN, "servers is taken twice"),
        ("t", HostSpec(name="one", address="10.20.0.1", network=LAN), LAN, "the gateway of servers"),
        ("t", HostSpec(name="one", address="10.21.0.1", network=LAN), LAN, "is not in 10.20.0.0/24"),
        ("t", HOST, Lan(name="cloud", cidr="10.40.0.0/16", gateway="10.40.0.1"), "unknown network servers"),
        ("t", HOST, Lan(name="a-network-too-long", cidr="10.40.0.0/16", gateway="10.40.0.1"), "too long"),
        ("t", HOST, Lan(name="cloud", cidr="10.40.0.0/16", gateway="10.41.0.1"), "gateway 10.41.0.1 is not in"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused_with_a_remedy(
    prefix: str, host: HostSpec, lan: Lan, words: str
) -> None:
    with pytest.raises(HostsError, match=words) as refused:
        check(prefix, [host], [lan])
    assert "what to do: " in str(refused.value)


def test_two_hosts_with_one_address_are_refused() -> None:
    with pytest.raises(HostsError, match=r"two's 10\.20\.0\.11 is the address of one"):
        check("t", [HOST, HostSpec(name="two", address="10.20.0.11", network=LAN)], [LAN])


def test_each_host_has_files_of_its_own_below_the_worlds_folder(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    one, two = layout.engine("one"), layout.engine("two")
    assert not one.root.is_relative_to(two.root)
    for path in (one.data, one.running, one.socket, one.pid_file, one.log, one.record):
        assert path.is_relative_to(layout.hosts / "one")


def test_a_folder_whose_sockets_the_kernel_could_not_open_is_refused() -> None:
    with pytest.raises(HostsError, match="at most 107"):
        Layout(root=Path("/") / ("long" * 20)).check("one")
