"""Which resources the keys are: their types, their names by generation, and the output that tells the secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dreamseed.catalog.stateful import PASSWORD_TYPE
from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName
from dreamseed.planning import burst, recovery
from dreamseed.planning.keys import generations_of
from dreamseed.planning.object_store import BucketRole, bucket_key_name

B2_KEY = "pulumi-python:dynamic/b2:ApplicationKey"
ACCOUNT_KEY = "gcp:serviceaccount/key:Key"
GRAFANA_TOKEN = "grafana:cloud/accessPolicyToken:AccessPolicyToken"  # noqa: S105 - a type token
SERVICE_TOKEN = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"  # noqa: S105 - a type token
TOLD_BY: Mapping[str, str] = {
    PASSWORD_TYPE: "result",
    B2_KEY: "application_key",
    ACCOUNT_KEY: "privateKey",
    GRAFANA_TOKEN: "token",
    SERVICE_TOKEN: "clientSecret",
}
"""The types of keys, and the output that is the secret."""
BUCKETS: Mapping[KeyName, BucketRole] = {KeyName(f"{role}-key"): role for role in BucketRole}


@dataclass(frozen=True)
class KeyResource:
    """A key as resources: all generations have its `type`; a name for each, but where the secret changes in place."""

    type: str
    current: str
    previous: str | None
    in_place: bool


def base_of(config: StageConfig, key: KeyName) -> tuple[str, str]:
    """Return the type of `key`, and the name of its first generation."""
    service = config.service.name
    if key in BUCKETS:
        return B2_KEY, bucket_key_name(config, BUCKETS[key])
    rows = {
        KeyName.BURST_TUNNEL: (PASSWORD_TYPE, f"{burst.secret_prefix(service)}-tunnel"),
        KeyName.RECOVERY_POSTGRES: (PASSWORD_TYPE, f"{recovery.secret_prefix(service)}-postgres"),
        KeyName.VPN_0: (PASSWORD_TYPE, f"{service}-vpn-0"),
        KeyName.VPN_1: (PASSWORD_TYPE, f"{service}-vpn-1"),
        KeyName.AUTOSCALER_KEY: (ACCOUNT_KEY, f"{service}-autoscaler"),
        KeyName.GRAFANA_CLOUD_TOKEN: (GRAFANA_TOKEN, f"{service}-metrics-writer"),
        KeyName.SERVICE_TOKEN: (SERVICE_TOKEN, f"{service}-api"),
    }
    return rows.get(key, (PASSWORD_TYPE, str(key)))


def resource_of(config: StageConfig, key: KeyName, *, retiring: bool = False) -> KeyResource:
    """Return what `key` is at the stage; `retiring` counts the generation before as the previous, declared or not."""
    token, base = base_of(config, key)
    generations = generations_of(config, key)
    if token == SERVICE_TOKEN:
        return KeyResource(token, base, None, in_place=True)
    previous = generations.previous_name(base)
    if retiring and generations.current > 1:
        previous = generations.numbered(base, generations.current - 1)
    return KeyResource(token, generations.current_name(base), previous, in_place=False)


def leaving_passwords(config: StageConfig) -> frozenset[str]:
    """Return the names of the random passwords that are on their way out, and so are not protected any more."""
    found = (resource_of(config, key) for key in KeyName)
    return frozenset(each.previous for each in found if each.type == PASSWORD_TYPE and each.previous)
