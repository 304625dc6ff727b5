"""Every key of the service: what it is, who makes it, where it stands, and what its exchange means.

What happens to containers follows from the program: those whose files hold a key are replaced, one after the other.
What the servers make of two keys follows from their documentation, as recalled 2026-11-27: Redis (ACL SETUSER: several
passwords a user), PostgreSQL (ALTER ROLE: one password a role), vLLM (VLLM_API_KEY: one), Cloudflare (service tokens:
the previous secret is valid until a moment that is told), Backblaze and Google (keys are independent of each other),
Grafana (the environment's password of the administrator counts at the first start only), pgBackRest (a repository's
cipher is fixed when it is made).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dreamseed.config.keys import KeyName
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret


class Maker(StrEnum):
    """Who makes a key."""

    PROGRAM = "the program"
    PERSON = "a person"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key. `secrets` are its names in files of containers, `elsewhere` where else it stands.

    `meanwhile` says what is refused during an exchange, and for how long; `by_hand` how it is exchanged where no
    command does it; `afterwards` what is left for a person.
    """

    what: str
    maker: Maker = Maker.PROGRAM
    secrets: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    meanwhile: str
    by_hand: str = ""
    afterwards: str = ""


SECRET_MANAGER = "Secret Manager"  # noqa: S105 - where secrets stand
SWITCHED_OFF = "Secret Manager keeps the previous version, switched off: destroy it by hand if it leaked"
NOTHING = "no gap: both are valid until the second step, which follows the first at once"

KEYS: Mapping[str, Key] = {
    KeyName.POSTGRES_APPLICATION: Key(
        what="the API's role in PostgreSQL",
        secrets=(GeneratedSecret.POSTGRES_APPLICATION,),
        elsewhere=(f"{SECRET_MANAGER} (the API; what loads Cloud SQL, from D on)", "PostgreSQL, as a digest"),
        meanwhile="a gap: PostgreSQL knows one password a role. From its change until the poolers are replaced and the "
        "API's new revision serves, new logins are refused, also those of what loads Cloud SQL",
        afterwards=SWITCHED_OFF,
    ),
    KeyName.POSTGRES_MONITOR: Key(
        what="the exporters' role in PostgreSQL and PgBouncer",
        secrets=(GeneratedSecret.POSTGRES_MONITOR,),
        elsewhere=("PostgreSQL, as a digest",),
        meanwhile="a gap in metrics of the database alone, until the exporters are replaced",
    ),
    KeyName.POSTGRES_SUPERUSER: Key(
        what="Patroni's own role in PostgreSQL",
        secrets=(GeneratedSecret.POSTGRES_SUPERUSER,),
        elsewhere=("PostgreSQL, as a digest",),
        meanwhile="every instance is replaced, one after the other, so each primary fails over, or is away where it is "
        "the only one. An instance that restarts by itself between the change and its turn stays away until its turn",
    ),
    KeyName.POSTGRES_REPLICATION: Key(
        what="the replicas' role in PostgreSQL",
        secrets=(GeneratedSecret.POSTGRES_REPLICATION,),
        elsewhere=("PostgreSQL, as a digest",),
        meanwhile="every instance is replaced, one after the other. A replica that loses its connection between the "
        "change and its turn copies nothing until its turn",
    ),
    KeyName.POSTGRES_REWIND: Key(
        what="the role with which an old primary becomes a replica",
        secrets=(GeneratedSecret.POSTGRES_REWIND,),
        elsewhere=("PostgreSQL, as a digest",),
        meanwhile="every instance is replaced, one after the other; one that is still to come cannot rewind",
    ),
    KeyName.PATRONI_API: Key(
        what="what may change Patroni's configuration and restart instances",
        secrets=(GeneratedSecret.PATRONI_API,),
        meanwhile="every instance and its backup is replaced, one after the other; members refuse each other's calls "
        "between the first and the last",
    ),
    KeyName.REDIS: Key(
        what="the cache's password",
        secrets=(GeneratedSecret.REDIS,),
        elsewhere=(f"{SECRET_MANAGER} (the API)",),
        meanwhile="no client is refused: nodes take both, and the API learns the new one after the last of them. Each "
        "node is replaced twice, one after the other: what it holds is away while it restarts",
        afterwards=SWITCHED_OFF,
    ),
    KeyName.VLLM_API_KEY: Key(
        what="what the engines ask of the API",
        secrets=(GeneratedSecret.VLLM_API_KEY,),
        elsewhere=(f"{SECRET_MANAGER} (the API, the spot workers)",),
        meanwhile="a gap: an engine knows one. From the first engine's replacement until the API's new revision is up, "
        "replaced ones answer 401; each takes the minutes of its model's load",
        afterwards=f"{SWITCHED_OFF}; spot workers that run keep the old one: let the autoscaler drain them",
    ),
    KeyName.TUNNEL: Key(
        what="what the tunnel's connectors prove themselves with",
        secrets=(ProvidedSecret.TUNNEL_TOKEN,),
        elsewhere=("Cloudflare (the tunnel)",),
        meanwhile="no gap for requests while connectors stay connected: each is replaced, one after the other, and the "
        "API's connections through it end with it. One that loses its own before its turn is away until then",
    ),
    KeyName.WIREGUARD: Key(
        what="what the servers' WireGuard keys are derived from, at E",
        secrets=(ProvidedSecret.WIREGUARD_PRIVATE,),
        meanwhile="a gap: an end knows one key of each server. From the first container's replacement until the last "
        "one's nothing passes between the servers, as when the link between them is cut",
    ),
    KeyName.BURST_TUNNEL: Key(
        what="what the spot workers' connectors prove themselves with",
        elsewhere=(f"{SECRET_MANAGER} (the spot workers)", "Cloudflare (the tunnel)"),
        meanwhile="workers that run keep their connection; one that loses it is drained and deleted as unhealthy",
        afterwards=SWITCHED_OFF,
    ),
    KeyName.SERVICE_TOKEN: Key(
        what="the token that Access lets through to the private names",
        secrets=(ProvidedSecret.TUNNEL_CLIENT_SECRET,),
        elsewhere=(f"{SECRET_MANAGER} (the API)", "Cloudflare, as a digest"),
        meanwhile=f"{NOTHING}; the id stays, only the secret changes",
        afterwards=SWITCHED_OFF,
    ),
    KeyName.MODELS_KEY: Key(
        what="the spot workers' key to the bucket of models",
        elsewhere=(f"{SECRET_MANAGER} (the spot workers)",),
        meanwhile=f"{NOTHING}; a worker reads it when it starts",
        afterwards=SWITCHED_OFF,
    ),
    KeyName.CONTENT_KEY: Key(
        what="the API's key to the bucket of content",
        elsewhere=(f"{SECRET_MANAGER} (the API)",),
        meanwhile=NOTHING,
        afterwards=SWITCHED_OFF,
    ),
    KeyName.BACKUPS_KEY: Key(
        what="the archive's key to the bucket of backups",
        secrets=(ProvidedSecret.BACKUP_KEY,),
        elsewhere=(f"{SECRET_MANAGER} (what restores in the cloud, from D on)",),
        meanwhile=f"{NOTHING}. Instances hold it in a file: each is replaced, one after the other, so each primary "
        "fails over, or is away where it is the only one",
    ),
    KeyName.BACKUPS_SECOND_KEY: Key(
        what="the archive's key to the second site",
        secrets=(ProvidedSecret.BACKUP_SECOND_KEY,),
        elsewhere=(f"{SECRET_MANAGER} (what restores in the cloud, from D on)",),
        meanwhile=NOTHING,
    ),
    KeyName.AUTOSCALER_KEY: Key(
        what="the autoscaler's key to Google Cloud",
        secrets=(ProvidedSecret.AUTOSCALER_KEY,),
        meanwhile=f"{NOTHING}; the autoscaler is away for its restart",
    ),
    KeyName.GRAFANA_CLOUD_TOKEN: Key(
        what="Prometheus' token for Grafana Cloud",
        secrets=(ProvidedSecret.GRAFANA_CLOUD_TOKEN,),
        meanwhile=f"{NOTHING}; Prometheus is away for its restart",
    ),
    **{
        key: Key(
            what=f"the shared secret of the VPN's tunnel {other}, at E",
            elsewhere=("Google Cloud (the tunnel)", "the owners' router"),
            meanwhile="this tunnel is made again, and is down until the owners' router has the new secret; the other "
            "one carries the traffic",
            afterwards="give it to the owners' router: pulumi stack export --show-secrets tells it. Exchange the "
            "other tunnel's only when this one is up again",
        )
        for key, other in ((KeyName.VPN_0, 0), (KeyName.VPN_1, 1))
    },
    KeyName.RECOVERY_POSTGRES: Key(
        what="the administrator of the Cloud SQL instance, from D on",
        elsewhere=(f"{SECRET_MANAGER} (what loads it)",),
        meanwhile="the instance is changed in place; a load that runs fails. One that rests, as at D, takes no new "
        "password: start it first by gcloud sql instances patch NAME --activation-policy ALWAYS; a load stops it again",
        afterwards=SWITCHED_OFF,
    ),
    GeneratedSecret.BACKUP_CIPHER: Key(
        what="what encrypts the archive",
        secrets=(GeneratedSecret.BACKUP_CIPHER,),
        elsewhere=(f"{SECRET_MANAGER} (what restores in the cloud, from D on)",),
        meanwhile="a new one makes every backup so far unreadable",
        by_hand="not at all: pgBackRest fixes it when a repository is made. A new repository beside the old one is "
        "needed, and the old cipher as long as its backups are kept",
    ),
    GeneratedSecret.GRAFANA_ADMIN: Key(
        what="the administrator of the servers' Grafana",
        secrets=(GeneratedSecret.GRAFANA_ADMIN,),
        meanwhile="no gap",
        by_hand="in the container: grafana cli admin reset-admin-password --password-from-stdin. Grafana reads the "
        "program's one at its very first start only",
    ),
    ProvidedSecret.HUGGING_FACE_TOKEN: Key(
        what="what fetches the model's weights",
        maker=Maker.PERSON,
        secrets=(ProvidedSecret.HUGGING_FACE_TOKEN,),
        meanwhile="no gap while the old one is valid. Every engine is replaced, one after the other: each takes the "
        "minutes of its model's load",
        afterwards="revoke the old one at huggingface.co",
    ),
    ProvidedSecret.ALERT_WEBHOOK: Key(
        what="the pager's URL",
        maker=Maker.PERSON,
        secrets=(ProvidedSecret.ALERT_WEBHOOK,),
        meanwhile="no gap while the old one is valid; Alertmanager is away for its restart",
        afterwards="delete the old integration at the pager",
    ),
    ProvidedSecret.ALERT_CHAT: Key(
        what="the chat's incoming webhook",
        maker=Maker.PERSON,
        secrets=(ProvidedSecret.ALERT_CHAT,),
        meanwhile="no gap while the old one is valid; Alertmanager is away for its restart",
        afterwards="delete the old webhook in the chat",
    ),
    ProvidedSecret.ALERT_MAIL_PASSWORD: Key(
        what="the mail server's password for alerts",
        maker=Maker.PERSON,
        secrets=(ProvidedSecret.ALERT_MAIL_PASSWORD,),
        meanwhile="no mail from the change at the mail server until Alertmanager is replaced; pager and chat go on",
    ),
}
"""By the names that `dreamseed keys rotate` takes; those with `by_hand` are only listed."""
