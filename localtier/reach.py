"""Whether containers reach what the plan says, and nothing else: every listening socket, and scans from all networks.

A port that nothing listens on is reached from nowhere, so it is enough to look at all sockets that listen, and to try
every port of theirs, and of the plan's, at every address of the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from dreamseed.planning.reach import Doors, Reach, listens_on, plan_reach, published_ports
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks.finding import Finding, none_of
from localtier.network import ask_in
from localtier.scanning import open_doors

LISTENS = "0A"
"""State of a listening socket. Source: proc_net_tcp, include/net/tcp_states.h."""
OF_SYSTEMS = frozenset({22, 53, 111, 2375, 2376})
"""Ports tried besides: what a server's own system and Docker's API might listen on."""
Inspected = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How the running stage is asked: a process's listening ports, and which doors its network opens."""

    listening: Callable[[int], frozenset[int]]
    scan: Callable[[int, Sequence[tuple[str, int]]], Doors]


def listening_ports(pid: int) -> frozenset[int]:
    """Return the TCP ports on which the network of process `pid` listens, loopback apart."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (Path("/proc") / str(pid) / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, port = local.partition(":")
            if state == LISTENS and not _is_loopback(address):
                found.add(int(port, 16))
    return frozenset(found)


def _is_loopback(written: str) -> bool:
    """Tell whether an address is loopback, written as the kernel does: words of four bytes, the last one first."""
    words = [bytes.fromhex(written[at : at + 8])[::-1] for at in range(0, len(written), 8)]
    address = ip_address(b"".join(words))
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def scan_from(pid: int, doors: Sequence[tuple[str, int]]) -> Doors:
    """Return which of `doors` a process in the network of process `pid` can connect to."""
    return ask_in(Path("/proc") / str(pid) / "ns" / "net", lambda: open_doors(doors))


ON_THIS_MACHINE = Asking(listening=listening_ports, scan=scan_from)


def look(plan: StagePlan, inspected: Inspected, asking: Asking = ON_THIS_MACHINE) -> list[Finding]:
    """Return what is found of the stage whose containers are `inspected`, by host and name, as Docker inspects them."""
    running = {name: one for seen in inspected.values() for name, one in seen.items() if one["State"].get("Pid")}
    findings = list(_listening(plan, running, asking))
    ports = {port for pid in _pids(running) for port in asking.listening(pid)}
    ports |= {port for one in plan.containers for port in listens_on(one)}
    ports |= {port for _, port in published_ports(plan)} | OF_SYSTEMS
    addresses = [host.address for host in plan.hosts]
    addresses += [str(subnet[1]) for host in plan.hosts for subnet in host.subnets.values()]
    addresses += sorted({address for one in running.values() for address in _networks(one).values()})
    doors = [(address, port) for address in addresses for port in sorted(ports)]
    return [*findings, *(_scanned(reach, plan, running, doors, asking) for reach in plan_reach(plan))]


def _listening(plan: StagePlan, running: Mapping[str, Mapping[str, Any]], asking: Asking) -> Iterator[Finding]:
    for host in plan.hosts:
        faults = []
        for container in plan.containers:
            if container.host == host.name and container.name in running and not container.host_network:
                seen, planned = asking.listening(running[container.name]["State"]["Pid"]), listens_on(container)
                faults += [
                    f"{container.name} listens on {port}, which is not planned" for port in sorted(seen - planned)
                ]
                faults += [f"{container.name} does not listen on {port}" for port in sorted(planned - seen)]
        yield none_of(f"listening sockets of containers on {host.name}", faults)


def _scanned(
    reach: Reach,
    plan: StagePlan,
    running: Mapping[str, Mapping[str, Any]],
    doors: Sequence[tuple[str, int]],
    asking: Asking,
) -> Finding:
    what = f"reach of {' and '.join(reach.networks)} on {reach.host}"
    inside = [one for one in plan.containers if one.host == reach.host and one.networks == reach.networks]
    pids = [running[one.name]["State"]["Pid"] for one in inside if one.name in running]
    if not pids:
        return Finding(what=what, ok=False, detail="no container of it runs")
    known = {
        address: name
        for name, one in running.items()
        for network, address in _networks(one).items()
        if network in {f"dreamseed-{one}" for one in reach.networks} and _host_of(plan, name) == reach.host
    }
    seen = {(known.get(address, address), port) for address, port in asking.scan(pids[0], doors)}
    declared = reach.neighbours | reach.published
    faults = [f"reaches {door}:{port}, which is not declared" for door, port in sorted(seen - declared)]
    faults += [f"does not reach {door}:{port}" for door, port in sorted(declared - seen)]
    return none_of(what, faults)


def _pids(running: Mapping[str, Mapping[str, Any]]) -> Iterator[int]:
    return (one["State"]["Pid"] for one in running.values() if _networks(one))


def _networks(inspected: Mapping[str, Any]) -> dict[str, str]:
    """Return a container's addresses by the names of its networks."""
    networks = inspected["NetworkSettings"]["Networks"]
    return {name: one["IPAddress"] for name, one in networks.items() if one["IPAddress"]}


def _host_of(plan: StagePlan, name: str) -> str:
    return next((one.host for one in plan.containers if one.name == name), "")
