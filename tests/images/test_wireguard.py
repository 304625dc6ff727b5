"""The link's program in two real network namespaces: what crosses the cable is sealed, or nothing crosses."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from dreamseed.planning import ports
from dreamseed.planning.services.wireguard import INTERFACE, MARK, TABLE
from localtier.crossing import Crossing, watch
from tests.images.pair import (
    ADDRESSES,
    NAMESPACES,
    PROGRAM,
    End,
    call,
    host,
    listening,
    pair,
    python,
    require_machine,
    until,
)

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("machine")]
PORT = 7000


@pytest.fixture(scope="module")
def machine() -> None:
    require_machine()


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[End, End]]:
    with pair(tmp_path) as both:
        yield both


def watched(end: End, act: Callable[[], object]) -> Crossing:
    """What crosses the end's cable while something is done."""
    over = Event()
    others = [address for address in ADDRESSES.values() if address != end.address]
    with ThreadPoolExecutor(1) as one:
        seen = one.submit(
            watch, NAMESPACES / end.namespace, end.address, others, over.is_set, port=ports.WIREGUARD, beside=INTERFACE
        )
        time.sleep(0.3)
        try:
            act()
        finally:
            time.sleep(0.3)
            over.set()
        return seen.result()


def passes(one: End, other: End) -> bool:
    """Whether a call from `one` reaches `other`."""
    with listening(other, PORT, seconds=3) as server:
        answered = call(one.inside(), other.address, PORT)
        server.kill()
    return answered


def read_beside(one: End, other: End) -> bool:
    """Whether `other` takes a packet that was put on the cable from `one` beside the link, with its right address."""
    [eth0] = json.loads(other.run("ip", "-json", "link", "show", "eth0"))
    program = (
        "import socket, struct\n"
        f"mac = bytes.fromhex('{eth0['address'].replace(':', '')}')\n"
        f"ends = socket.inet_aton('{one.address}') + socket.inet_aton('{other.address}')\n"
        "body = struct.pack('!HHHH', 7001, 7001, 13, 0) + b'plain'\n"
        "head = struct.pack('!BBHHHBBH', 0x45, 0, 33, 1, 0, 64, 17, 0) + ends\n"
        "total = sum(struct.unpack('!10H', head)); total = (total & 0xffff) + (total >> 16)\n"
        "head = head[:10] + struct.pack('!H', ~total & 0xffff) + head[12:]\n"
        "tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)\n"
        "tap.sendto(head + body, ('eth0', 0x0800, 0, 0, mac))\n"
    )
    waits = (
        "import socket\n"
        "door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); door.bind(('0.0.0.0', 7001)); door.settimeout(2)\n"
        "print('ready', flush=True)\n"
        "print(door.recv(99).decode())\n"
    )
    with subprocess.Popen(
        other.inside(python(), "-c", waits), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as taking:
        assert taking.stdout is not None
        assert taking.stdout.readline() == "ready\n"
        one.run(python(), "-c", program)
        return taking.stdout.readline() == "plain\n"


def test_what_passes_is_sealed_in_both_directions_and_nothing_else_is_seen_on_the_cable(
    ends: tuple[End, End],
) -> None:
    one, other = ends
    plain = watched(one, lambda: passes(one, other))
    assert plain.plain > 5, "the tap sees what is plain"
    assert read_beside(other, one), "what is put on the cable arrives"
    one.start()
    other.start()
    answers: list[bool] = []
    seen = watched(one, lambda: answers.extend((passes(one, other), passes(other, one))))
    assert answers == [True, True]
    assert (seen.plain, seen.shown) == (0, ())
    assert seen.sealed > 5
    assert not read_beside(other, one)
    assert not read_beside(one, other)


def test_started_on_what_is_there_it_changes_nothing(ends: tuple[End, End]) -> None:
    one, other = ends
    one.start()
    other.start()
    assert passes(one, other)
    before = one.state()
    again = subprocess.Popen(
        one.inside("nsenter", f"--mount=/proc/{one.processes[0].pid}/ns/mnt", *one.words("keep")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    one.processes.append(again)
    time.sleep(1)
    assert again.poll() is None
    assert one.state() == before
    assert passes(one, other)


def test_killed_it_lets_nothing_plain_pass_and_started_again_it_goes_on(ends: tuple[End, End]) -> None:
    one, other = ends
    one.start()
    other.start()
    assert passes(one, other)
    one.kill()
    if not one.has_kernels_own():
        seen = watched(one, lambda: [passes(one, other), passes(other, one)])
        assert seen.plain == 0
        assert not passes(one, other)
        assert not passes(other, one)
        assert not read_beside(other, one)
    one.start()
    until(lambda: passes(one, other))
    assert passes(other, one)
    assert watched(one, lambda: passes(one, other)).plain == 0


@pytest.mark.parametrize(
    "change",
    [
        ("ip", "link", "delete", INTERFACE),
        ("ip", "link", "set", INTERFACE, "down"),
        ("ip", "link", "set", INTERFACE, "mtu", "1500"),
        ("ip", "address", "add", "10.20.0.99/32", "dev", INTERFACE),
        ("ip", "rule", "delete", "priority", "213"),
        ("ip", "rule", "add", "to", "10.20.0.77", "lookup", "213", "priority", "213"),
        ("ip", "route", "flush", "table", "213"),
        ("ip", "route", "add", "10.20.0.77", "dev", "eth0", "table", "213"),
        ("nft", "delete", "table", "inet", TABLE),
        ("nft", "flush", "chain", "inet", TABLE, "arriving"),
        ("wg", "set", INTERFACE, "listen-port", "51821"),
        ("wg", "set", INTERFACE, "fwmark", "0"),
    ],
    ids=" ".join,
)
def test_what_somebody_changed_is_told_and_mended(ends: tuple[End, End], change: tuple[str, ...]) -> None:
    one, other = ends
    one.start()
    other.start()
    wanted = one.state()
    assert one.among(*change).returncode == 0
    assert not one.check()
    one.start(look_seconds="0.1")  # in a container of its own, beside leftovers of the one before
    until(one.check)
    assert [without_numbers(text) for text in one.state()] == [without_numbers(text) for text in wanted]
    until(lambda: passes(one, other))


def without_numbers(text: str) -> list[str]:
    """What does not change when an interface or table is made anew."""
    lines = (line.partition("# handle")[0].rstrip() for line in text.splitlines() if "fe80" not in line)
    return sorted(line.partition(": ")[2] if line[:1].isdigit() else line for line in lines if "ff00::" not in line)


def test_another_key_opens_nothing_and_nothing_is_sent_plain_instead(ends: tuple[End, End]) -> None:
    one, other = ends
    other.write(key="somebody else's")
    one.start()
    other.start()
    answers: list[bool] = []
    seen = watched(one, lambda: answers.extend((passes(one, other), passes(other, one))))
    assert answers == [False, False]
    assert seen.plain == 0
    assert one.check(), "an end is healthy while the other one is not there"


def test_a_server_whose_link_is_not_up_is_not_heard(ends: tuple[End, End]) -> None:
    one, other = ends
    one.start()
    assert not passes(other, one)
    assert not passes(one, other)
    assert not read_beside(other, one)


def test_a_container_behind_passes_under_its_servers_address_in_packets_that_fit(ends: tuple[End, End]) -> None:
    one, other = ends
    one.start()
    other.start()
    container = f"{one.namespace}-c"
    host("ip", "netns", "add", container)
    try:
        one.run("ip", "link", "add", "br-c", "type", "veth", "peer", "name", "eth0", "netns", container)
        one.run("ip", "address", "add", "172.30.0.1/24", "dev", "br-c")
        one.run("ip", "link", "set", "br-c", "up")
        one.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        # As Docker writes it for each of its networks.
        masquerade = (
            "table ip docker { chain post { type nat hook postrouting priority srcnat; "
            'ip saddr 172.30.0.0/24 oifname != "br-c" masquerade\n}\n}'
        )
        one.run("nft", masquerade)
        inside = ["nsenter", f"--net={NAMESPACES / container}"]
        for words in ("address add 172.30.0.2/24 dev eth0", "link set eth0 up", "route add default via 172.30.0.1"):
            host(*inside, "ip", *words.split())
        with listening(other, PORT) as server:
            seen = watched(one, lambda: call(inside, other.address, PORT))
            assert server.stdout is not None
            who, fits = server.stdout.read().split()
        assert (who, seen.plain) == (one.address, 0)
        assert int(fits) <= 1420 - 40
    finally:
        host("ip", "netns", "delete", container)


def test_a_kernel_that_would_drop_what_comes_is_told_of_and_nothing_is_changed(ends: tuple[End, End]) -> None:
    one, _ = ends
    one.run("sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=1")
    before = one.run("ip", "rule", "show"), one.run("nft", "list", "ruleset")
    started = one.start(wait=False)
    _, said = started.communicate(timeout=20)
    assert started.returncode == 1
    assert "sysctl -w net.ipv4.conf.eth0.rp_filter=2" in said
    assert (one.run("ip", "rule", "show"), one.run("nft", "list", "ruleset")) == before
    assert f" {INTERFACE}:" not in one.run("ip", "link")
    one.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=2")
    one.start()


def test_another_servers_files_are_told_of(ends: tuple[End, End]) -> None:
    one, _ = ends
    one.run("ip", "address", "delete", f"{one.address}/24", "dev", "eth0")
    one.run("ip", "address", "add", "10.20.0.13/24", "dev", "eth0")
    _, said = one.start(wait=False).communicate(timeout=20)
    assert "no address 10.20.0.11" in said


def without(text: str) -> Callable[[str], str]:
    """A text without the lines that hold `text`, at least one; with "" it stays as it is."""

    def changed(whole: str) -> str:
        if not text:
            return whole
        kept = [line for line in whole.splitlines(keepends=True) if text not in line]
        assert len(kept) < len(whole.splitlines())
        return "".join(kept)

    return changed


def test_a_program_without_the_rule_is_noticed(tmp_path: Path) -> None:
    with pair(tmp_path, program=without("ip rule add")) as (one, other):
        for end in (one, other):
            end.write(rules=without("drop"))
            end.start(wait=False)
        until(lambda: all(f" {INTERFACE}:" in end.run("ip", "link") for end in (one, other)))
        time.sleep(1)
        assert watched(one, lambda: passes(one, other)).plain > 0
        assert not one.check()


def test_a_table_that_drops_nothing_that_arrives_is_noticed(tmp_path: Path) -> None:
    with pair(tmp_path) as (one, other):
        for end in (one, other):
            end.write(rules=without("} drop"))
            end.start()
        assert passes(one, other)
        assert read_beside(other, one)


@pytest.mark.parametrize(
    ("of_program", "of_table", "leaks"),
    [("unreachable", "", False), ("", f"mark != {MARK}", False), ("unreachable", f"mark != {MARK}", True)],
)
def test_what_refuses_when_the_interface_is_gone_is_held_twice(
    tmp_path: Path, of_program: str, of_table: str, leaks: bool
) -> None:
    """Either the route or the table alone keeps it back; without both the cable would carry it plain."""
    with pair(tmp_path, program=without(of_program)) as (one, other):
        one.write(rules=without(of_table))
        one.start()
        assert one.among("ip", "link", "delete", INTERFACE).returncode == 0
        seen = watched(one, lambda: passes(one, other))
        assert (seen.plain > 0) is leaks


@pytest.mark.parametrize("words", [(), ("keep",), ("keep", "/folder", "10.20.0.11"), ("stop", "/folder", "a", "b")])
def test_anything_else_is_told_what_to_write(words: tuple[str, ...]) -> None:
    ended = subprocess.run(["/bin/sh", PROGRAM, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "wireguard-link: write keep FOLDER SELF PEER... or check FOLDER SELF PEER..."
    )
