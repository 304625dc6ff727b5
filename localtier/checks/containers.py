"""Whether each planned container runs, nothing else does, and nothing listens but what is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from dreamseed.planning.container import Container
from localtier.checks.finding import Finding, none_of
from localtier.checks.site import AskFailed, Site


def containers(site: Site) -> Iterator[Finding]:
    """Return a finding for each host: every planned container as planned, no other, and who was restarted."""
    for host in site.plan.hosts:
        planned = {one.name: one for one in site.plan.containers if one.host == host.name}
        if host.name not in site.inspected:
            yield Finding(what=f"containers of {host.name}", ok=False, detail="its Docker Engine does not answer")
            continue
        seen = site.inspected[host.name]
        faults = [
            f"{name} {fault}" for name, one in planned.items() if (fault := container_fault(site, one, seen.get(name)))
        ]
        faults += [f"{name} is not planned" for name in sorted(set(seen) - set(planned))]
        found = none_of(f"containers of {host.name}", faults)
        again = ", ".join(f"{name} × {one['RestartCount']}" for name, one in seen.items() if one["RestartCount"])
        yield (
            found
            if not again
            else Finding(
                what=found.what, ok=found.ok, detail="; ".join(filter(None, (found.detail, f"restarted: {again}")))
            )
        )


def container_fault(site: Site, planned: Container, seen: Mapping[str, Any] | None) -> str:
    """Return what is wrong with a container, "" for nothing.

    One that Docker has not tried yet (up to a whole interval of its health test) is tried here, by the same test.
    """
    if seen is None:
        return "does not exist"
    state = seen["State"]
    if planned.job:
        return "" if (state["Status"], state["ExitCode"]) == ("exited", 0) else f"is {_said(state)}"
    if state["Status"] != "running":
        return f"is {_said(state)}"
    if planned.health is None:
        return ""
    health = state.get("Health", {}).get("Status", "not checked")
    if health == "starting" and not state["Health"].get("Log"):
        health = _tried(site, planned)
    return "" if health == "healthy" else f"is {health}"


def _tried(site: Site, planned: Container) -> str:
    kind, *words = planned.health.test if planned.health else ("NONE",)
    try:
        site.exec_text(planned.name, words if kind == "CMD" else ["/bin/sh", "-c", *words])
    except AskFailed as error:
        return f"starting: {error}"
    return "healthy"


def _said(state: Mapping[str, Any]) -> str:
    return f"{state['Status']} ({state['ExitCode']})" if state["Status"] == "exited" else str(state["Status"])


def published(site: Site) -> Iterator[Finding]:
    """Return a finding for each host: its ports are published as planned, on its private address alone."""
    for host in site.plan.hosts:
        here = [one for one in site.plan.containers if one.host == host.name]
        # Docker publishes nothing for who shares its host's network, and it listens all the same.
        own = {(host.address, port.published) for one in here if one.host_network for port in one.ports}
        planned = {(host.address, port.published) for one in here for port in one.ports} - own
        seen = {
            (bound["HostIp"], int(bound["HostPort"]))
            for attributes in site.inspected.get(host.name, {}).values()
            for bindings in (attributes["NetworkSettings"]["Ports"] or {}).values()
            for bound in bindings or ()
        }
        faults = [f"{address}:{port} is published, not planned" for address, port in sorted(seen - planned)]
        faults += [f"{address}:{port} is not published" for address, port in sorted(planned - seen)]
        yield none_of(f"published ports of {host.name}", faults)
        if site.listening is not None:
            # Loopback is left out: nobody reaches it from elsewhere.
            open_here = {pair for pair in site.listening(host.name) if not _is_loopback(pair[0])}
            others = [f"{address}:{port}" for address, port in sorted(open_here - planned - own)]
            yield none_of(f"nothing else listens on {host.name}", [f"{one} is open" for one in others])


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:  # "*" and the like
        return False
