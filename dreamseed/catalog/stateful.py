"""Which resources are stateful: their loss loses data or an identity that the world outside knows.

A promotion replaces or deletes none of them. Type tokens are those of the SDKs docker 5.2.0, gcp 10.2.0,
cloudflare 6.23.1, random 4.21.4 and grafana 2.44.0; the reasons follow the providers' documentation and sources,
read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VOLUME_TYPE = "docker:index/volume:Volume"
PASSWORD_TYPE = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
DATA_LABEL = ("kind", "data")

STATEFUL_TYPES: Mapping[str, str] = {
    VOLUME_TYPE: "holds a database, an event log or votes (those labelled kind=data; caches do not count)",
    "cloudflare:index/zone:Zone": "a new zone has new name servers: the domain is down until the registrar knows them",
    "cloudflare:index/zoneSubscription:ZoneSubscription": "leaving the program does not end it: it stays billed",
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": (
        "a new tunnel has a new id and token: every connector on the servers is cut off"
    ),
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": (
        "a new token has a new secret: whoever holds the old one is locked out"
    ),
    "gcp:artifactregistry/repository:Repository": "holds the images that running revisions name by digest",
    "gcp:compute/address:Address": "the owners' router and firewalls know the address",
    "gcp:compute/disk:Disk": "holds the witness's votes",
    "gcp:compute/globalAddress:GlobalAddress": "DNS and the database's peering know the address",
    "gcp:compute/haVpnGateway:HaVpnGateway": "the owners' router knows the gateway's addresses",
    "gcp:secretmanager/secret:Secret": "a replacement deletes every version first",
    "gcp:sql/databaseInstance:DatabaseInstance": "holds a copy of the database; its name is blocked for a week",
    "gcp:storage/bucket:Bucket": "holds the state of this very program",
    "grafana:cloud/stack:Stack": "holds the metrics' history; its name is global",
    "pulumi-python:dynamic/b2:Bucket": "holds models, content or backups",
    "random:index/randomId:RandomId": "part of a physical name: a new one renames, and so replaces, what bears it",
    PASSWORD_TYPE: "a new one changes a password that running services still use",
}
"""Type tokens and why each is stateful."""


def is_stateful(type_token: str, inputs: Mapping[str, Any]) -> bool:
    """Return whether a resource of this type and these inputs is stateful.

    `inputs` are the wire inputs; only Docker volumes need them, where a volume is data if its labels hold
    ``{"label": "kind", "value": "data"}``.
    """
    if type_token != VOLUME_TYPE:
        return type_token in STATEFUL_TYPES
    labels = inputs.get("labels") or ()
    return any((label.get("label"), label.get("value")) == DATA_LABEL for label in labels)
