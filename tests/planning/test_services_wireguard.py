from __future__ import annotations

import re
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from dreamseed.planning import ports
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.wireguard import CONFIGURATION_FILE, RULES_FILE, public_key_of
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.wireguard_keys import private_key, public_key
from tests.planning.stages import STAGE_NAMES, container, file, planned, server, shipped

THREE = {"servers": {"server-3": server(3)}, "postgres": {"pgbouncer": {"pool_size": 40}}}


def peers_of(plan: StagePlan, name: str) -> dict[str, str]:
    """The peers' addresses in a server's configuration, each with the name of the key that is asked of it."""
    text = file(container(plan, f"{name}-wireguard"), CONFIGURATION_FILE).text
    blocks = text.split("[Peer]")[1:]
    found = {}
    for block in blocks:
        [address] = re.findall(r"AllowedIPs = (\S+)/32\n", block)
        [key] = re.findall(r"PublicKey = ⟦(.+)⟧\n", block)
        assert f"Endpoint = {address}:{ports.WIREGUARD}\n" in block
        found[address] = key
    return found


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_each_of_several_servers_has_an_end_and_one_alone_has_none(name: str) -> None:
    plan = shipped(name)
    ends = [(one.host, one.host_network, one.networks, one.ports) for one in plan.wireguard.containers]
    assert ends == ([(f"server-{number}", True, (), ()) for number in (1, 2)] if name == "stage-e" else [])


def test_the_peers_are_all_other_servers_of_the_owners_and_not_the_witness() -> None:
    plan = shipped("stage-e")
    assert any(host.in_cloud for host in plan.hosts)
    assert peers_of(plan, "server-1") == {"10.20.0.12": public_key_of("server-2")}
    assert peers_of(plan, "server-2") == {"10.20.0.11": public_key_of("server-1")}
    three = planned("stage-e", THREE)
    assert peers_of(three, "server-2") == {
        "10.20.0.11": public_key_of("server-1"),
        "10.20.0.13": public_key_of("server-3"),
    }
    ends = [one.name for one in three.wireguard.containers]
    assert [one.after for one in three.wireguard.containers] == [(), (ends[0],), (ends[1],)]
    assert container(three, "server-2-wireguard").command[2:] == ("10.20.0.12", "10.20.0.11", "10.20.0.13")
    rules = file(container(three, "server-3-wireguard"), RULES_FILE).text
    assert "ip saddr { 10.20.0.11, 10.20.0.12 } drop" in rules


def test_a_server_is_given_its_own_private_key_alone_in_a_file_that_only_its_container_reads() -> None:
    for one in shipped("stage-e").wireguard.containers:
        configuration = file(one, CONFIGURATION_FILE)
        assert configuration.mode == "0400"
        assert set(one.secrets) - {ProvidedSecret.WIREGUARD_PRIVATE} == {
            public_key_of(f"server-{number}") for number in (1, 2) if one.host != f"server-{number}"
        }
        assert file(one, RULES_FILE).secrets == ()


def test_the_keys_of_two_servers_make_the_same_secret_and_a_third_one_s_does_not() -> None:
    def shared(own: str, other: str) -> bytes:
        key = X25519PrivateKey.from_private_bytes(b64decode(private_key("made by the program", own)))
        return key.exchange(X25519PublicKey.from_public_bytes(b64decode(public_key("made by the program", other))))

    assert shared("server-1", "server-2") == shared("server-2", "server-1")
    assert len({shared("server-1", "server-2"), shared("server-1", "server-3"), shared("server-2", "server-3")}) == 3
    assert private_key("made by the program", "server-1") != private_key("another", "server-1")
    assert private_key("made by the program", "server-1") != private_key("made by the program", "server-11")
    raw = b64decode(private_key("made by the program", "server-1"))
    assert (raw[0] & 7, raw[31] & 0xC0) == (0, 0x40), "as wg(8) prints it"


def test_a_derived_key_is_this_one_so_that_no_change_of_the_program_changes_it() -> None:
    assert public_key("made by the program", "server-1") == "K1pdl5xwUL1SIXw1lC2rJT+2LHJJTlHFauFTEO9a/28="
