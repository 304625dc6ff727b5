"""Alertmanager: groups alerts and posts them to the owners' webhook.

The webhook (a chat, a pager, a mail gateway) is a secret of the stack, since its URL alone lets anybody post. Source:
Alertmanager 0.32 documentation, read 2026-11-23.
"""

from __future__ import annotations

from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Mount, NetworkName, Port
from dreamseed.planning.hosts import Host
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.monitoring_exporters import COMPONENT, NOBODY_UID, page_health
from dreamseed.planning.services.monitoring_files import secret_file, yaml_text

NAME = "alertmanager"
VOLUME = "alertmanager-data"
WEBHOOK_FILE = "/run/secrets/alert-webhook"


def plan_alertmanager(host: Host) -> Container:
    """Return the container; critical alerts are repeated hourly, others twice a day."""
    receiver = {"name": "operations", "webhook_configs": [{"url_file": WEBHOOK_FILE, "send_resolved": True}]}
    settings = {
        "route": {
            "receiver": "operations",
            "group_by": ["alertname", "host"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [{"matchers": ['severity="critical"'], "receiver": "operations", "repeat_interval": "1h"}],
        },
        # A host that is gone explains everything that is missing from it.
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="HostDown"'],
                "target_matchers": ['alertname!="HostDown"'],
                "equal": ["host"],
            }
        ],
        "receivers": [receiver],
    }
    return Container(
        name=NAME,
        component=COMPONENT,
        service="alertmanager",
        host=host.name,
        image="alertmanager",
        networks=(NetworkName.MONITORING,),
        memory_mib=128,
        cpu_cores=0.05,
        command=(
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            # One of its kind: no cluster to listen for.
            "--cluster.listen-address=",
            f"--web.external-url=http://{host.address}:{ports.ALERTMANAGER}",
        ),
        files=(
            File(path="/etc/alertmanager/alertmanager.yml", text=yaml_text(settings), owner=NOBODY_UID),
            secret_file(WEBHOOK_FILE, ProvidedSecret.ALERT_WEBHOOK, NOBODY_UID),
        ),
        mounts=(Mount(volume=VOLUME, path="/alertmanager"),),
        ports=(Port(container=ports.ALERTMANAGER, published=ports.ALERTMANAGER, purpose="Alertmanager"),),
        health=page_health(ports.ALERTMANAGER, "/-/ready"),
    )
