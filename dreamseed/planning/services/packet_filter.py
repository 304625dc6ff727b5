"""The packet filter of each server: its containers connect to those ports of servers that their network needs.

One container a server, in the server's own network, that loads a table of nftables and keeps it as it is; its program
is images/packet-filter. What is allowed is derived from all other containers (`dreamseed.planning.reach`). The table
stays in the kernel while the container is replaced, and when it is gone. Sources: nft(8); kernel 5.9 (a reject before
routing), 5.6 (sets of concatenations with ranges).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from dreamseed.config import StageConfig
from dreamseed.planning.container import Container, File, Health, ServicePlan
from dreamseed.planning.hosts import Host
from dreamseed.planning.reach import is_filtered, needed
from dreamseed.planning.render import render

COMPONENT = "packet-filter"
SERVICE = "packet-filter"
TABLE = "dreamseed"
RULES_FILE = "/etc/dreamseed/packet-filter.nft"
PROGRAM = "/usr/local/bin/packet-filter"


def plan_packet_filter(config: StageConfig, hosts: Sequence[Host], containers: Sequence[Container]) -> ServicePlan:
    """Return the filters in order of replacement; `containers` are all others of the stage."""
    filters: list[Container] = []
    for host in filter(is_filtered, hosts):
        after = (filters[-1].name,) if filters else ()
        filters.append(_filter(config, host, _rules(host, hosts, containers), after))
    return ServicePlan(component=COMPONENT, containers=tuple(filters))


def passes(container: Container, subnet: IPv4Network, address: str, port: int) -> bool:
    """Tell whether the filter `container` lets connections from `subnet` to a server's `address` and `port` pass."""
    rules = next(file.text for file in container.files if file.path == RULES_FILE)
    return f"      {subnet} . {address} . {port},\n" in rules


def _rules(host: Host, hosts: Sequence[Host], containers: Sequence[Container]) -> str:
    rows = [
        (subnet, address, port)
        for network, subnet in host.subnets.items()
        for address, port in sorted(needed(host, network, hosts, containers))
    ]
    return render(
        "packet-filter.nft.j2",
        host=host.name,
        table=TABLE,
        needed=rows,
        subnets=host.subnets.values(),
        addresses=[one.address for one in hosts],
    )


def _filter(config: StageConfig, host: Host, rules: str, after: tuple[str, ...]) -> Container:
    return Container(
        name=f"{host.name}-packet-filter",
        component=COMPONENT,
        service=SERVICE,
        host=host.name,
        image=config.network.packet_filter_image,
        networks=(),
        host_network=True,
        memory_mib=32,
        cpu_cores=0.02,
        entrypoint=(PROGRAM,),
        command=("keep", TABLE, RULES_FILE),
        files=(File(path=RULES_FILE, text=rules),),
        health=Health(test=("CMD", PROGRAM, "check", TABLE), start_period_seconds=20),
        stop_grace_seconds=5,
        after=after,
    )
