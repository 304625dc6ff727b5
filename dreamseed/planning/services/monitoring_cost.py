"""The cost exporter: the month's cost as metrics, from the rates of the stage that stands and from imported bills.

Its program and image are images/cost-exporter of this project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Health, Mount, NetworkName, Port, ServicePlan
from dreamseed.planning.hosts import Host

NAME = "cost-exporter"
VOLUME = "cost-exporter-data"
RATES_FILE = "/etc/cost-exporter/rates.json"
UID = 65_534
"""User of the image. Source: images/cost-exporter/Dockerfile."""
MEMORY_FOLDER = "/var/lib/cost-exporter"
BILLS_FOLDER = f"{MEMORY_FOLDER}/bills"
"""Where bills are put. Source: images/cost-exporter/cost_exporter.py."""


def plan_cost_exporter(config: StageConfig, host: Host) -> Container:
    """Return the container without its rates: they are priced from the whole plan, which holds this container."""
    return Container(
        name=NAME,
        component="monitoring",
        service=NAME,
        host=host.name,
        image=config.monitoring.cost_exporter_image,
        networks=(NetworkName.MONITORING,),
        memory_mib=96,
        cpu_cores=0.1,
        user=f"{UID}:{UID}",
        command=(
            f"--rates={RATES_FILE}",
            f"--memory={MEMORY_FOLDER}",
            f"--prometheus=http://prometheus:{ports.PROMETHEUS}",
            f"--listen={ports.COST_EXPORTER}",
        ),
        mounts=(Mount(volume=VOLUME, path=MEMORY_FOLDER),),
        ports=(Port(container=ports.COST_EXPORTER, published=ports.COST_EXPORTER, purpose="the month's cost"),),
        health=Health(
            test=("CMD", "/opt/exporter/bin/python3", "/opt/exporter/healthy.py", str(ports.COST_EXPORTER)),
            interval_seconds=30,
        ),
    )


def with_rates(monitoring: ServicePlan, rates_content: Mapping[str, Any]) -> ServicePlan:
    """Return the monitoring with the cost exporter told what its stage costs, as `rates_of` says it."""
    rates = File(path=RATES_FILE, text=json.dumps(rates_content, ensure_ascii=False) + "\n")
    containers = tuple(
        replace(one, files=(*one.files, rates)) if one.service == NAME else one for one in monitoring.containers
    )
    return replace(monitoring, containers=containers)
