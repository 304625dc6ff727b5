"""Grafana on the first server, provisioned by files: its data source and the dashboards.

Source: Grafana 13 documentation, provisioning, read 2026-11-23.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.monitoring.dashboards.board import Board
from dreamseed.monitoring.dashboards.drawing import drawn
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Mount, NetworkName, Port
from dreamseed.planning.hosts import Host
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.services.monitoring_exporters import COMPONENT, page_health
from dreamseed.planning.services.monitoring_files import secret_file, yaml_text

VOLUME = "grafana-data"
GRAFANA_UID = 472
"""User of Grafana's image. Source: its Dockerfile."""
DASHBOARDS_FOLDER = "/etc/dreamseed/dashboards"


def plan_grafana(config: StageConfig, host: Host, boards: Sequence[Board]) -> Container:
    """Return the container with the dashboards `boards`."""
    source = {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://prometheus:{ports.PROMETHEUS}",
        "isDefault": True,
        "jsonData": {"timeInterval": f"{config.monitoring.scrape_interval_seconds}s", "httpMethod": "POST"},
    }
    folder = {"name": "dreamseed", "type": "file", "options": {"path": DASHBOARDS_FOLDER}}
    provisioning = "/etc/grafana/provisioning"
    texts = {
        f"{provisioning}/datasources/prometheus.yaml": yaml_text({"apiVersion": 1, "datasources": [source]}),
        f"{provisioning}/dashboards/dreamseed.yaml": yaml_text({"apiVersion": 1, "providers": [folder]}),
        **{
            f"{DASHBOARDS_FOLDER}/{board.name}.json": json.dumps(
                drawn(board, config.service.time_zone), indent=1, ensure_ascii=False
            )
            for board in boards
        },
    }
    password = "/run/secrets/grafana-admin"  # noqa: S105 - a file's path, not a password
    return Container(
        name="grafana",
        component=COMPONENT,
        service="grafana",
        host=host.name,
        image="grafana",
        networks=(NetworkName.MONITORING,),
        memory_mib=512,
        cpu_cores=0.2,
        user=str(GRAFANA_UID),
        environment={
            "GF_SECURITY_ADMIN_PASSWORD__FILE": password,
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        },
        files=(
            *(File(path=path, text=text, owner=GRAFANA_UID) for path, text in texts.items()),
            secret_file(password, GeneratedSecret.GRAFANA_ADMIN, GRAFANA_UID),
        ),
        mounts=(Mount(volume=VOLUME, path="/var/lib/grafana"),),
        ports=(Port(container=ports.GRAFANA, published=ports.GRAFANA, purpose="Grafana"),),
        health=page_health(ports.GRAFANA, "/api/health", start_period_seconds=120),
        after=("prometheus",),
    )


def planned_dashboards(containers: Iterable[Container]) -> tuple[dict[str, Any], ...]:
    """Return the dashboards that a stage's Grafana among `containers` is given, as Grafana reads them."""
    return tuple(
        json.loads(file.text)
        for one in containers
        if one.service == "grafana"
        for file in one.files
        if file.path.startswith(f"{DASHBOARDS_FOLDER}/")
    )
