"""How a person finds what its cloud numbers by itself, and what no cloud tells again, where a state was lost.

`<name>` in a line stands for an input of the resource or, where it has none, of its provider's configuration. Forms of
imports: the SDKs' docstrings (cloudflare 6.23.1, gcp 10.2.0, docker 5.2.0, grafana 2.44.0), held to them by a test.
Command lines and endpoints: Cloudflare's API reference, Google's and Backblaze's command line references and Docker's,
recalled 2026-11-27, never run against an account from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACE = re.compile(r"<([A-Za-z_.]+)>")
ID = "id"


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """How one type is found.

    `how`: a shell line that prints the id. `form`: what an import takes, `<id>` for what was found. `told`: properties
    that are told once or stand in the state alone, to be given by who has them; `secret` says whether they are.
    `read`: properties that the cloud tells again, so that they need not be given.
    `made_anew`: why it cannot be taken over, so that it is deleted by hand instead.
    """

    how: str = ""
    form: str = f"<{ID}>"
    told: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    secret: bool = True
    made_anew: str = ""


def _cloudflare(
    kind: str, path: str, form: str, select: str = ".result[]", told: tuple[str, ...] = ()
) -> tuple[str, Lookup]:
    url = f"https://api.cloudflare.com/client/v4/{path}"
    how = f"""curl -s -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN" '{url}' | jq -r '{select} | .id'"""
    return f"cloudflare:index/{kind[0].lower()}{kind[1:]}:{kind}", Lookup(how=how, form=form, told=told)


def _gcloud(command: str) -> Lookup:
    return Lookup(how=f"gcloud {command} --filter='displayName=\"<displayName>\"' --format='value(name)'")


def _docker(kind: str) -> Lookup:
    return Lookup(how=f"docker -H <host> {kind} inspect --format '{{{{.Id}}}}' <name>")


IN_USE = "no id: the value, from where it is in use (docs/how-to/recover-the-state.md)"
NAMED = '.result[] | select(.name == "<name>")'

CLOUDFLARE = (
    _cloudflare("Zone", "zones?name=<name>", "<id>"),
    _cloudflare("DnsRecord", "zones/<zoneId>/dns_records?name=<name>&type=<type>", "<zoneId>/<id>"),
    _cloudflare("Ruleset", "zones/<zoneId>/rulesets/phases/<phase>/entrypoint", "zones/<zoneId>/<id>", ".result"),
    _cloudflare("ZeroTrustAccessApplication", "accounts/<accountId>/access/apps", "accounts/<accountId>/<id>", NAMED),
    _cloudflare("ZeroTrustAccessPolicy", "accounts/<accountId>/access/policies", "<accountId>/<id>", NAMED),
    _cloudflare(
        "ZeroTrustAccessServiceToken",
        "accounts/<accountId>/access/service_tokens",
        "accounts/<accountId>/<id>",
        NAMED,
        ("clientSecret",),
    ),
    _cloudflare(
        "ZeroTrustTunnelCloudflared",
        "accounts/<accountId>/cfd_tunnel?name=<name>&is_deleted=false",
        "<accountId>/<id>",
    ),
)

LOOKUPS: Mapping[str, Lookup] = {
    **dict(CLOUDFLARE),
    "docker:index/container:Container": _docker("container"),
    "docker:index/network:Network": _docker("network"),
    "gcp:billing/budget:Budget": _gcloud("billing budgets list --billing-account=<billingAccount>"),
    "gcp:compute/instanceTemplate:InstanceTemplate": Lookup(
        how="gcloud compute instance-templates list --project=<project> --filter='name~^<namePrefix>' "
        "--sort-by=~creationTimestamp --limit=1 --format='value(selfLink.scope(v1))'"
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": _gcloud("monitoring policies list --project=<project>"),
    "gcp:monitoring/notificationChannel:NotificationChannel": _gcloud("beta monitoring channels list"),
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": _gcloud("monitoring uptime list-configs --project=<project>"),
    "gcp:secretmanager/secretVersion:SecretVersion": Lookup(
        how="gcloud secrets versions list <secret> --filter=state=ENABLED --limit=1 --format='value(name)'",
        read=("secretData",),
    ),
    "gcp:serviceaccount/key:Key": Lookup(made_anew="Google's provider imports no key"),
    "grafana:cloud/stack:Stack": Lookup(how="echo <slug>"),
    "grafana:cloud/accessPolicy:AccessPolicy": Lookup(
        how="""curl -s -H "Authorization: Bearer $GRAFANA_CLOUD_ACCESS_POLICY_TOKEN" """
        """'https://grafana.com/api/v1/accesspolicies?region=<region>&name=<name>' | jq -r '.items[].id'""",
        form="<region>:<id>",
    ),
    "grafana:cloud/accessPolicyToken:AccessPolicyToken": Lookup(
        how="""curl -s -H "Authorization: Bearer $GRAFANA_CLOUD_ACCESS_POLICY_TOKEN" """
        """'https://grafana.com/api/v1/tokens?region=<region>&name=<name>' | jq -r '.items[].id'""",
        form="<region>:<id>",
        told=("token",),
    ),
    "pulumi-python:dynamic/b2:Bucket": Lookup(how="b2 bucket get <name> | jq -r .bucketId"),
    "pulumi-python:dynamic/b2:ApplicationKey": Lookup(
        how="b2 key list | grep ' <name>$' | cut -d ' ' -f 1", told=("application_key",)
    ),
    "random:index/randomPassword:RandomPassword": Lookup(how=IN_USE, form="none", told=("result",)),
    "random:index/randomId:RandomId": Lookup(how=IN_USE, form="none", told=("hex",), secret=False),
}
"""By type. A type that is not here either has an id that follows from its name, or is made again without harm."""


def filled(text: str, inputs: Mapping[str, Any]) -> str | None:
    """Return `text` with its places filled from `inputs`; None while one of them is not known."""
    places = {place: inputs.get(place) for place in PLACE.findall(text)}
    if not all(isinstance(value, str) and value for value in places.values()):
        return None
    return PLACE.sub(lambda match: str(places[match.group(1)]), text)
