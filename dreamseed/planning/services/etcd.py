"""etcd: the votes behind PostgreSQL's leader, one member a fault domain.

One member where only one server exists: three on one server would fall together with it. While that member is away,
Patroni's failsafe mode keeps the primary serving. A member that is added joins as a learner and is promoted, so the
running members are neither changed nor restarted. Source: etcd documentation, runtime reconfiguration and learners;
Patroni documentation, DCS failsafe mode.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.planning import ports
from dreamseed.planning.container import (
    Container,
    File,
    Health,
    Mount,
    NetworkName,
    Port,
    ServicePlan,
    Volume,
    VolumeKind,
)
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.render import render
from dreamseed.planning.services.postgres_instance import POSTGRES_UID

COMPONENT = "postgres"
DISK_GIB = 5


def voting_hosts(hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Return the hosts that vote: one each on three fault domains, else the first server alone.

    Two voters are worse than one: the loss of either stops both.
    """
    owned = servers(hosts)
    candidates = (*owned[:2], *(host for host in hosts if host.in_cloud), *owned[2:])
    return candidates[:3] if len(candidates) >= 3 else owned[:1]


def client_urls(members: Sequence[Host]) -> tuple[str, ...]:
    """Return where clients reach the members, as ``address:port``."""
    return tuple(f"{host.address}:{ports.ETCD_CLIENT}" for host in members)


def plan_etcd(hosts: Sequence[Host], tools_image: str) -> ServicePlan:
    """Return the members in order of joining; `tools_image`, PostgreSQL's, has etcdctl for the jobs."""
    members = voting_hosts(hosts)
    containers: list[Container] = []
    for number in range(1, len(members) + 1):
        name = f"etcd-{number}"
        previous = (containers[-1].name,) if containers else ()
        if number > 1:
            add = _job(f"{name}-add", "add", members, number, tools_image, previous)
            containers.append(add)
            previous = (add.name,)
        containers.append(_member(name, number, members, previous))
        if number > 1:
            containers.append(_job(f"{name}-promote", "promote", members, number, tools_image, (name,)))
    volumes = tuple(
        Volume(name=f"etcd-{number}-data", host=host.name, kind=VolumeKind.DATA, size_gib=DISK_GIB)
        for number, host in enumerate(members, start=1)
    )
    return ServicePlan(component=COMPONENT, containers=tuple(containers), volumes=volumes)


def _peer_url(host: Host) -> str:
    return f"http://{host.address}:{ports.ETCD_PEER}"


def _member(name: str, number: int, members: Sequence[Host], after: tuple[str, ...]) -> Container:
    so_far = members[:number]
    host = so_far[-1]
    cluster = ",".join(f"etcd-{number}={_peer_url(peer)}" for number, peer in enumerate(so_far, start=1))
    return Container(
        name=name,
        component=COMPONENT,
        service="etcd",
        host=host.name,
        image="etcd",
        networks=(NetworkName.DATA,),
        memory_mib=512,
        cpu_cores=0.25,
        entrypoint=("etcd",),
        command=(
            f"--name={name}",
            "--data-dir=/data/etcd",
            f"--listen-client-urls=http://0.0.0.0:{ports.ETCD_CLIENT}",
            f"--advertise-client-urls=http://{host.address}:{ports.ETCD_CLIENT}",
            f"--listen-peer-urls=http://0.0.0.0:{ports.ETCD_PEER}",
            f"--initial-advertise-peer-urls={_peer_url(host)}",
            f"--initial-cluster={cluster}",
            f"--initial-cluster-state={'new' if len(so_far) == 1 else 'existing'}",
            "--initial-cluster-token=dreamseed",
            "--auto-compaction-retention=1",
        ),
        mounts=(Mount(volume=f"{name}-data", path="/data"),),
        ports=(
            Port(container=ports.ETCD_CLIENT, published=ports.ETCD_CLIENT, purpose="etcd clients"),
            Port(container=ports.ETCD_PEER, published=ports.ETCD_PEER, purpose="etcd peers"),
        ),
        # Those that join later are announced to those that run.
        hears=tuple(f"{peer.address}:{ports.ETCD_PEER}" for peer in members),
        # A learner is healthy before it votes: its own endpoint status, not the cluster's, decides.
        health=Health(test=("CMD", "etcdctl", "endpoint", "status"), start_period_seconds=30),
        after=after,
    )


def _job(name: str, action: str, members: Sequence[Host], number: int, image: str, after: tuple[str, ...]) -> Container:
    script = render(
        "etcd-member.sh.j2",
        action=action,
        name=f"etcd-{number}",
        peer_url=_peer_url(members[number - 1]),
        endpoints=client_urls(members)[0],
    )
    return Container(
        name=name,
        component=COMPONENT,
        service=name,
        host=members[0].name,
        image=image,
        networks=(NetworkName.DATA,),
        memory_mib=64,
        cpu_cores=0.05,
        user=str(POSTGRES_UID),
        entrypoint=("/bin/sh", "/etc/dreamseed/job.sh"),
        files=(File(path="/etc/dreamseed/job.sh", text=script),),
        job=True,
        after=after,
    )
