"""Secrets in Secret Manager: one secret, one version, one reader at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import secretmanager, serviceaccount

from components.base import Component
from components.labels import labels
from dreamseed.config.service import Service


@dataclass(frozen=True, kw_only=True)
class StoredSecret:
    """A secret's current version, and the right to read it: what uses the one waits for the other."""

    version: secretmanager.SecretVersion
    access: secretmanager.SecretIamMember


def store_secret(
    parent: Component,
    service: Service,
    identifier: str,
    value: pulumi.Input[str],
    reader: serviceaccount.Account,
    enabled: Sequence[pulumi.Resource] = (),
    after: Sequence[pulumi.Resource] = (),
) -> StoredSecret:
    """Declare the secret `identifier` with `value`, which `reader` alone may read, and whose version comes `after`.

    A superseded version is switched off, not destroyed: what still runs may name it by its number.
    """
    secret = secretmanager.Secret(
        identifier,
        secret_id=identifier,
        project=service.gcp_project,
        replication=secretmanager.SecretReplicationArgs(auto=secretmanager.SecretReplicationAutoArgs()),
        labels=labels(service.name),
        deletion_protection=True,
        opts=parent.stateful(depends_on=list(enabled)),
    )
    version = secretmanager.SecretVersion(
        identifier,
        secret=secret.id,
        secret_data=pulumi.Output.secret(value),
        deletion_policy="DISABLE",
        opts=parent.child(depends_on=list(after)),
    )
    access = secretmanager.SecretIamMember(
        identifier,
        secret_id=secret.secret_id,
        project=service.gcp_project,
        role="roles/secretmanager.secretAccessor",
        member=reader.member,
        opts=parent.child(),
    )
    return StoredSecret(version=version, access=access)
