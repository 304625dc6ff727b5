"""Alertmanager: groups alerts and tells them by severity: critical ones by pager, chat and e-mail, others in the chat.

The pager's webhook and the chat's are secrets of the stack, since such a URL alone lets anybody post. Source:
Alertmanager 0.32 documentation, read 2026-11-23.
"""

from __future__ import annotations

from typing import Any

from dreamseed.config import StageConfig
from dreamseed.monitoring.inhibitions import EVERYTHING_ELSE, INHIBITIONS, Inhibition, burn_inhibitions
from dreamseed.monitoring.model import Severity
from dreamseed.monitoring.slo import objectives
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Mount, NetworkName, Port
from dreamseed.planning.hosts import Host
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.monitoring_exporters import COMPONENT, NOBODY_UID, page_health
from dreamseed.planning.services.monitoring_files import secret_file, yaml_text

NAME = "alertmanager"
VOLUME = "alertmanager-data"
WEBHOOK_FILE = "/run/secrets/alert-webhook"
CHAT_FILE = "/run/secrets/alert-chat"
MAIL_PASSWORD_FILE = "/run/secrets/alert-mail-password"  # noqa: S105 - a file's path, not a password
PAGE, TICKET = "page", "ticket"


def plan_alertmanager(config: StageConfig, host: Host) -> Container:
    """Return the container. Its configuration is the same at every stage, so that no promotion replaces it."""
    return Container(
        name=NAME,
        component=COMPONENT,
        service="alertmanager",
        host=host.name,
        image="alertmanager",
        networks=(NetworkName.MONITORING,),
        memory_mib=128,
        cpu_cores=0.05,
        user=str(NOBODY_UID),
        command=(
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            # One of its kind: no cluster to listen for.
            "--cluster.listen-address=",
            f"--web.external-url=http://{host.address}:{ports.ALERTMANAGER}",
        ),
        files=(
            File(path="/etc/alertmanager/alertmanager.yml", text=yaml_text(settings(config)), owner=NOBODY_UID),
            secret_file(WEBHOOK_FILE, ProvidedSecret.ALERT_WEBHOOK, NOBODY_UID),
            secret_file(CHAT_FILE, ProvidedSecret.ALERT_CHAT, NOBODY_UID),
            secret_file(MAIL_PASSWORD_FILE, ProvidedSecret.ALERT_MAIL_PASSWORD, NOBODY_UID),
        ),
        mounts=(Mount(volume=VOLUME, path="/alertmanager"),),
        ports=(Port(container=ports.ALERTMANAGER, published=ports.ALERTMANAGER, purpose="Alertmanager"),),
        health=page_health(ports.ALERTMANAGER, "/-/ready"),
    )


def settings(config: StageConfig) -> dict[str, Any]:
    """Return the configuration: one message a component and cause, repeated hourly while critical, else daily."""
    burns = (one for kept in objectives(config.slo) for one in burn_inhibitions(f"{kept.alert}Burn"))
    chat = {
        "api_url_file": CHAT_FILE,
        "send_resolved": True,
        "title": "{{ .Status | toUpper }} {{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}",
        "text": "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Labels.owner }})\n"
        "{{ .Annotations.action }}\n{{ .Annotations.runbook_url }}\n{{ end }}",
    }
    mail = config.monitoring.mail
    return {
        "global": {
            "smtp_smarthost": mail.server,
            "smtp_from": mail.sender,
            "smtp_auth_username": mail.user,
            "smtp_auth_password_file": MAIL_PASSWORD_FILE,
            "smtp_require_tls": True,
        },
        "route": {
            "receiver": TICKET,
            "group_by": ["alertname", "component", "host"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "24h",
            "routes": [
                {
                    "matchers": [f'severity="{Severity.CRITICAL}"'],
                    "receiver": PAGE,
                    "group_wait": "10s",
                    "repeat_interval": "1h",
                }
            ],
        },
        "inhibit_rules": [_inhibit_rule(one) for one in (*INHIBITIONS, *burns)],
        "receivers": [
            {
                "name": PAGE,
                "webhook_configs": [{"url_file": WEBHOOK_FILE, "send_resolved": True}],
                "slack_configs": [chat],
                "email_configs": [{"to": config.service.operations_email, "send_resolved": True}],
            },
            {"name": TICKET, "slack_configs": [chat]},
        ],
    }


def _inhibit_rule(one: Inhibition) -> dict[str, Any]:
    targets = (
        f'alertname!="{one.source}"' if EVERYTHING_ELSE in one.targets else f'alertname=~"{"|".join(one.targets)}"'
    )
    rule: dict[str, Any] = {
        "source_matchers": [f'alertname="{one.source}"'],
        "target_matchers": [targets],
    }
    return {**rule, "equal": list(one.equal)} if one.equal else rule
