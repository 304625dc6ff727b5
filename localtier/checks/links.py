"""Whether what passes between the owners' servers is encrypted: each end's own test, and what crosses its cable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dreamseed.planning import ports
from dreamseed.planning.container import Container
from dreamseed.planning.services.wireguard import INTERFACE, SERVICE
from localtier.checks.finding import Finding
from localtier.crossing import for_seconds

if TYPE_CHECKING:
    from localtier.checks.site import Site

WATCHED_SECONDS = 3.0
"""Members of clusters say something several times a second: etcd ten times, Redis once, Kafka twice."""


def links(site: Site) -> Iterator[Finding]:
    """Return two findings for each link's container: it is as wanted, and nothing crosses the cable that is not sealed.

    That nothing crosses at all is a fault: it would prove nothing. Where there is one server there is no link.
    """
    for link in site.services(SERVICE):
        if link.health is not None:
            site.exec_text(link.name, link.health.test[1:])
        yield Finding(what=f"{link.name}: interface, routes, rules and table are as wanted", ok=True)
        yield _crossing(site, link)


def _crossing(site: Site, link: Container) -> Finding:
    what = f"what {link.host} and the other servers send one another is encrypted"
    pid = site.inspected[link.host][link.name]["State"]["Pid"]
    address = {host.name: host.address for host in site.plan.hosts}
    others = [address[one.host] for one in site.services(SERVICE) if one.host != link.host]
    seen = site.crossing(
        pid, address[link.host], others, for_seconds(WATCHED_SECONDS), port=ports.WIREGUARD, beside=INTERFACE
    )
    counted = f"{seen.sealed} packets of WireGuard in {WATCHED_SECONDS:.0f} s"
    if seen.plain:
        return Finding(what=what, ok=False, detail=f"{seen.plain} others beside {counted}: {'; '.join(seen.shown)}")
    return Finding(what=what, ok=seen.sealed > 0, detail=counted if seen.sealed else f"{counted}: nothing is shown")
