"""Whether a secret shows where anybody looks: in what Docker says of a container, in its log, among its processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dreamseed.planning.secrets import ProvidedSecret
from localtier.checks.finding import Finding, none_of
from localtier.checks.site import AskFailed, Site

OPEN_NOTHING = frozenset(
    {
        ProvidedSecret.WORKER_TEMPLATE,
        ProvidedSecret.GRAFANA_CLOUD_URL,
        ProvidedSecret.GRAFANA_CLOUD_USER,
        ProvidedSecret.TUNNEL_CLIENT_ID,
        ProvidedSecret.BACKUP_KEY_ID,
        ProvidedSecret.BACKUP_SECOND_KEY_ID,
    }
)
"""Filled into files like secrets, but they are names: programs may say them."""
SHORTEST = 12
"""Shorter values stand in many texts by themselves."""


def secrets(site: Site) -> Iterator[Finding]:
    """Return a finding for each host, and one that secrets were there to be looked for; none of them is shown."""
    sought = {
        name: value for name, value in site.credentials.items() if name not in OPEN_NOTHING and len(value) >= SHORTEST
    }
    yield Finding(what="secrets to look for", ok=bool(sought), detail="" if sought else "no container holds one")
    for host, seen in site.inspected.items():
        faults = []
        for name, attributes in sorted(seen.items()):
            try:
                places = _places(site, name, attributes)
            except AskFailed as error:
                faults.append(str(error))
                continue
            for place, text in places.items():
                faults += [f"{secret} stands in {place} of {name}" for secret, value in sought.items() if value in text]
        yield none_of(f"no secret shows on {host}", faults)


def _places(site: Site, name: str, attributes: Mapping[str, Any]) -> dict[str, str]:
    running = attributes["State"].get("Pid")
    return {
        "what Docker says": "\n".join(_texts(attributes)),
        "the log": site.log(name),
        "the processes": site.process_list(name) if running else "",
    }


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
