"""Section `keys`: which generation of each key that the program makes is in use, and how far an exchange has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from dreamseed.config.types import Section, Text, refuse


class KeyName(StrEnum):
    """The keys that the program makes and can exchange; what each is: `dreamseed.keys.catalogue`."""

    POSTGRES_SUPERUSER = "postgres-superuser"
    POSTGRES_REPLICATION = "postgres-replication"
    POSTGRES_REWIND = "postgres-rewind"
    POSTGRES_APPLICATION = "postgres-application"
    POSTGRES_MONITOR = "postgres-monitor"
    PATRONI_API = "patroni-api"
    REDIS = "redis"
    VLLM_API_KEY = "vllm-api-key"
    TUNNEL = "tunnel"
    WIREGUARD = "wireguard"
    BURST_TUNNEL = "burst-tunnel"
    SERVICE_TOKEN = "service-token"  # noqa: S105 - a key's name, not a secret
    MODELS_KEY = "models-key"
    CONTENT_KEY = "content-key"
    BACKUPS_KEY = "backups-key"
    BACKUPS_SECOND_KEY = "backups-second-key"
    AUTOSCALER_KEY = "autoscaler-key"
    VPN_0 = "vpn-0"
    VPN_1 = "vpn-1"
    RECOVERY_POSTGRES = "recovery-postgres"
    GRAFANA_CLOUD_TOKEN = "grafana-cloud-token"  # noqa: S105 - a key's name, not a secret


def _known(name: Any) -> Any:
    if name not in list(KeyName):
        raise refuse(
            f"there is no key '{name}' that is exchanged this way",
            "a generation belongs to a key that the program makes",
            f"one of {', '.join(KeyName)}; what a person makes: dreamseed keys rotate",
        )
    return KeyName(name)


Key = Annotated[KeyName, BeforeValidator(_known)]
Moment = Annotated[
    str,
    Text(
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z",
        "a moment",
        "Cloudflare is told until when the previous secret is valid",
        "UTC, quoted, such as '2027-01-31T09:00:00Z'",
    ),
]


class Exchange(Section):
    """The generation of one key that is in use, counted from 1; a key that is not named is its first."""

    generation: int = Field(ge=2, le=10_000, description="which of its generations is in use, counted from 1")
    with_previous: bool = Field(
        default=False, description="whether the one before still stands beside it, valid where two can be"
    )
    previous_until: Moment | None = Field(
        default=None, description="until when the service token's previous secret is valid; of that key only"
    )

    @model_validator(mode="after")
    def _moment_exists(self) -> Exchange:
        try:
            datetime.fromisoformat(self.previous_until or "2027-01-31T09:00:00Z")
        except ValueError as error:
            raise refuse(
                f"'{self.previous_until}' is on no calendar",
                "Cloudflare is told until when the previous secret is valid",
                "UTC, quoted, such as '2027-01-31T09:00:00Z'",
                at="previous_until",
            ) from error
        return self
