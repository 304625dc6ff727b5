"""The autoscaler of the spot workers: one container on the first server, from the stage that has such workers on.

Its program is autoscaler/ of this project, its image images/autoscaler. It reaches Prometheus and Alertmanager over the
containers' network and Google by calling out; the routers ask its agent how many workers serve. Its volume holds what
the month's workers have cost: where that is lost, the month counts as spent and nothing is bought until the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.autoscaling import plan_settings
from dreamseed.planning.burst import BurstPlan
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
    secret,
)
from dreamseed.planning.gpu import GpuLayout
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.secrets import ProvidedSecret

COMPONENT = "autoscaler"
VOLUME = "autoscaler-data"
STATE_FOLDER = "/var/lib/autoscaler"
KILL_SWITCH = f"{STATE_FOLDER}/stop"
"""A file that deletes every worker and buys none while it is there."""
SETTINGS_FILE = "/etc/autoscaler/settings.json"
CREDENTIAL_FILE = "/run/secrets/google-key"
PYTHON = "/opt/autoscaler/bin/python3"
UID = 65_534
"""User of the image. Source: images/autoscaler/Dockerfile."""
MEMORY_MIB = 384
"""Google's client for Compute Engine takes most of it: 157 MiB were resident after its import (2026-11-26)."""
DISK_GIB = 1
# It is asked often: nothing of the program is imported.
_SERVES = (
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', {port}, timeout=4); "
    "c.request('GET', '/metrics'); raise SystemExit(c.getresponse().status != 200)"
)


def plan_autoscaler(
    config: StageConfig, layout: GpuLayout, burst: BurstPlan | None, hosts: Sequence[Host]
) -> ServicePlan:
    """Return the container and its volume; nothing where the stage has no spot workers."""
    if burst is None:
        return ServicePlan(component=COMPONENT)
    host = servers(hosts)[0]
    settings = plan_settings(config, layout, burst, template=secret(ProvidedSecret.WORKER_TEMPLATE))
    container = Container(
        name="autoscaler",
        component=COMPONENT,
        service="autoscaler",
        host=host.name,
        image=config.vllm.burst.autoscaler_image,
        networks=(NetworkName.MONITORING,),
        memory_mib=MEMORY_MIB,
        cpu_cores=0.1,
        user=f"{UID}:{UID}",
        environment={"GOOGLE_APPLICATION_CREDENTIALS": CREDENTIAL_FILE},
        command=(
            f"--settings={SETTINGS_FILE}",
            f"--state={STATE_FOLDER}",
            f"--prometheus=http://prometheus:{ports.PROMETHEUS}",
            f"--alertmanager=http://alertmanager:{ports.ALERTMANAGER}",
            f"--kill-switch={KILL_SWITCH}",
            f"--listen={ports.AUTOSCALER}",
            f"--agent={ports.AUTOSCALER_AGENT}",
            "--begin-spent",
        ),
        files=(
            File(path=SETTINGS_FILE, text=settings.model_dump_json(indent=1) + "\n", owner=UID, mode="0400"),
            File(path=CREDENTIAL_FILE, text=secret(ProvidedSecret.AUTOSCALER_KEY), owner=UID, mode="0400"),
        ),
        mounts=(Mount(volume=VOLUME, path=STATE_FOLDER),),
        ports=(
            Port(container=ports.AUTOSCALER, published=ports.AUTOSCALER, purpose="the autoscaler's metrics"),
            Port(
                container=ports.AUTOSCALER_AGENT,
                published=ports.AUTOSCALER_AGENT,
                purpose="how many spot workers serve, for the routers",
            ),
        ),
        health=Health(test=("CMD", PYTHON, "-c", _SERVES.format(port=ports.AUTOSCALER)), interval_seconds=30),
        # A turn that has begun is ended: seven questions to Prometheus and Google, each with a time limit of its own.
        stop_grace_seconds=90,
    )
    volume = Volume(name=VOLUME, host=host.name, kind=VolumeKind.DATA, size_gib=DISK_GIB)
    return ServicePlan(component=COMPONENT, containers=(container,), volumes=(volume,))
