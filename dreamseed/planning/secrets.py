"""The secrets of the service by name: which the program makes, and which come from elsewhere."""

from __future__ import annotations

from enum import StrEnum

from dreamseed.config.keys import KeyName


class GeneratedSecret(StrEnum):
    """Made by the program as random passwords, kept encrypted in the state; exchanged where there is such a key."""

    POSTGRES_SUPERUSER = KeyName.POSTGRES_SUPERUSER
    POSTGRES_REPLICATION = KeyName.POSTGRES_REPLICATION
    POSTGRES_REWIND = KeyName.POSTGRES_REWIND
    POSTGRES_APPLICATION = KeyName.POSTGRES_APPLICATION
    POSTGRES_MONITOR = KeyName.POSTGRES_MONITOR
    PATRONI_API = KeyName.PATRONI_API
    BACKUP_CIPHER = "backup-cipher"
    REDIS = KeyName.REDIS
    VLLM_API_KEY = KeyName.VLLM_API_KEY
    GRAFANA_ADMIN = "grafana-admin"
    TUNNEL = KeyName.TUNNEL


class ProvidedSecret(StrEnum):
    """Come from the owners (stack configuration) or from another component's outputs."""

    HUGGING_FACE_TOKEN = "hugging-face-token"  # noqa: S105 - a secret's name, not a secret
    TUNNEL_TOKEN = "tunnel-token"  # noqa: S105 - a secret's name, not a secret
    TUNNEL_CLIENT_ID = "tunnel-client-id"
    TUNNEL_CLIENT_SECRET = "tunnel-client-secret"  # noqa: S105 - a secret's name, not a secret
    WORKER_TEMPLATE = "worker-template"
    """No secret: a name that the cloud gives, which a file learns the same way."""
    WIREGUARD_PRIVATE = "wireguard-private"
    """A server's own; the public keys of the others: `dreamseed.planning.services.wireguard`."""
    AUTOSCALER_KEY = "autoscaler-key"
    BACKUP_KEY_ID = "backup-key-id"
    BACKUP_KEY = "backup-key"
    BACKUP_SECOND_KEY_ID = "backup-second-key-id"
    BACKUP_SECOND_KEY = "backup-second-key"
    GRAFANA_CLOUD_TOKEN = "grafana-cloud-token"  # noqa: S105 - a secret's name, not a secret
    GRAFANA_CLOUD_USER = "grafana-cloud-user"
    GRAFANA_CLOUD_URL = "grafana-cloud-url"
    ALERT_WEBHOOK = "alert-webhook"
    ALERT_CHAT = "alert-chat"
    ALERT_MAIL_PASSWORD = "alert-mail-password"  # noqa: S105 - a secret's name, not a secret


CONFIGURED_SECRETS = (
    ProvidedSecret.HUGGING_FACE_TOKEN,
    ProvidedSecret.ALERT_WEBHOOK,
    ProvidedSecret.ALERT_CHAT,
    ProvidedSecret.ALERT_MAIL_PASSWORD,
)
"""The secrets that the owners write into their stacks: ``pulumi config set --secret dreamseed:NAME``."""
