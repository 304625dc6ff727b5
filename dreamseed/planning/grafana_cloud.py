"""The hosted Grafana: its name and place, both fixed for ever, since another one would begin without history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dreamseed.config.operations import GrafanaCloud, Monitoring
from dreamseed.config.service import Service

MAXIMUM_SLUG_LENGTH = 29
DEFAULT_REGION = "us"
# Grafana Cloud's regions by the continent that a Google Cloud region begins with. Source: grafana.grafana.cloud_stack
# module documentation, read 2026-11-23.
REGIONS: Mapping[str, str] = MappingProxyType(
    {"us": "us", "northamerica": "us", "europe": "eu", "australia": "au", "asia": "prod-ap-southeast-0"}
)


@dataclass(frozen=True, kw_only=True)
class GrafanaCloudPlan:
    """The stack `slug`, which becomes ``SLUG.grafana.net``, in `region`."""

    slug: str
    region: str


def plan_grafana_cloud(service: Service, monitoring: Monitoring) -> GrafanaCloudPlan | None:
    """Return the hosted Grafana, or None where the stage has none.

    Slugs are global and alphanumeric: the project id without its hyphens, which is global too. Free and pro are the
    same stack; the account's plan decides what it may hold.
    """
    if monitoring.grafana_cloud is GrafanaCloud.NONE:
        return None
    return GrafanaCloudPlan(
        slug=service.gcp_project.replace("-", "")[:MAXIMUM_SLUG_LENGTH],
        region=REGIONS.get(service.region.split("-", 1)[0], DEFAULT_REGION),
    )
