"""Where things are, and how they are found again: regions and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy.model import UNKNOWN, Resource, Rule, Stage
from policy.rules.containers import CONTAINER

PLACES = ("location", "region", "zone")
PLACED_BY = (*PLACES, "project", "accountId")
ELSEWHERE = ("grafana:",)
LABELS: Mapping[str, str] = {
    "gcp:artifactregistry/repository:Repository": "labels",
    "gcp:cloudrunv2/job:Job": "labels",
    "gcp:cloudrunv2/service:Service": "labels",
    "gcp:compute/address:Address": "labels",
    "gcp:compute/disk:Disk": "labels",
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": "labels",
    "gcp:compute/globalAddress:GlobalAddress": "labels",
    "gcp:compute/haVpnGateway:HaVpnGateway": "labels",
    "gcp:compute/instance:Instance": "labels",
    "gcp:compute/instanceTemplate:InstanceTemplate": "labels",
    "gcp:compute/vPNTunnel:VPNTunnel": "labels",
    "gcp:monitoring/alertPolicy:AlertPolicy": "userLabels",
    "gcp:monitoring/notificationChannel:NotificationChannel": "userLabels",
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": "userLabels",
    "gcp:pubsub/topic:Topic": "labels",
    "gcp:secretmanager/secret:Secret": "labels",
    "gcp:sql/databaseInstance:DatabaseInstance": "settings.userLabels",
    "gcp:storage/bucket:Bucket": "labels",
}
"""Types of Google Cloud that take labels, and the input that holds them."""
DOCKER_LABELLED = (CONTAINER, "docker:index/network:Network", "docker:index/volume:Volume")


def _place(resource: Resource, stage: Stage) -> Iterator[str]:
    if resource.type.startswith("pulumi-python:dynamic/b2:"):
        allowed = {stage.config.object_store.region, stage.config.object_store.second_region}
    else:
        allowed = {stage.config.service.region, stage.config.service.zone}
    project = resource.at("project")
    if project not in (None, UNKNOWN) and project != stage.config.service.gcp_project:
        yield f"it stands in the project {project}, and the stage's is {stage.config.service.gcp_project}"
    account = resource.at("accountId")
    if resource.type.startswith("cloudflare:") and account not in (None, UNKNOWN, stage.config.edge.account_id):
        yield f"it stands in the account {account}, and the stage's is {stage.config.edge.account_id}"
    for name in PLACES:
        value = resource.at(name)
        if value not in (None, UNKNOWN) and str(value).lower() not in allowed:
            yield f"its {name} is {value}, and the stage's are {', '.join(sorted(filter(None, allowed)))}"


def _labels(resource: Resource, stage: Stage) -> Iterator[str]:
    if resource.type in LABELS:
        wanted = {"managed-by": "pulumi", "service": stage.config.service.name}
        found = resource.at(LABELS[resource.type]) or {}
    else:
        wanted = {"managed-by": stage.config.service.name}
        found = {label.get("label"): label.get("value") for label in resource.at("labels", [])}
    missing = [f"{key}={value}" for key, value in wanted.items() if found.get(key) != value]
    if missing:
        yield f"it lacks the label {', '.join(missing)}"


RULES = (
    Rule(
        name="in-the-stage-s-region",
        description="Everything stands in the stage's project, account and region, buckets of Backblaze in its two.",
        remedy="take project and place from service, edge or object_store in the stage file",
        guards=lambda r: not r.type.startswith(ELSEWHERE) and any(r.at(name) for name in PLACED_BY),
        faults=_place,
    ),
    Rule(
        name="labelled",
        description="What takes labels says whose it is, and that it is not made by hand.",
        remedy="pass components.labels, or the service's name on a server",
        guards=lambda r: r.type in LABELS or r.type in DOCKER_LABELLED,
        faults=_labels,
    ),
)
