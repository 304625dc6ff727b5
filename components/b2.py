"""Backblaze B2 buckets and application keys as resources; there is no official Pulumi provider for B2."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi.dynamic import Resource as DynamicResource

from components.b2_account import Account
from components.b2_providers import ApplicationKeyProvider, BucketProvider


class B2Bucket(DynamicResource, module="b2", name="Bucket"):
    """A private bucket, encrypted by Backblaze, that deletes hidden versions and may lock new files.

    `lock_days` locks every new file in governance mode, null does not; `expire_days` after its upload a
    file is hidden, null never; `hidden_days` after it was hidden or overwritten a version is deleted.
    Account, region and name replace, which protection forbids. Deleting fails while files are in it.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        account: Account,
        region: str,
        name: str,
        hidden_days: int,
        lock_days: int | None = None,
        expire_days: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "account": str(account),
            "region": region,
            "name": name,
            "lock_days": lock_days,
            "hidden_days": hidden_days,
            "expire_days": expire_days,
        }
        super().__init__(BucketProvider(), resource_name, properties, opts)


class B2ApplicationKey(DynamicResource, module="b2", name="ApplicationKey"):
    """A key to one bucket with a few capabilities: its id and `application_key` sign S3 requests."""

    application_key: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        account: Account,
        name: str,
        bucket_id: pulumi.Input[str],
        capabilities: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "account": str(account),
            "name": name,
            "bucket_id": bucket_id,
            "capabilities": sorted(capabilities),
            "application_key": None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["application_key"])
        options = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(ApplicationKeyProvider(), resource_name, properties, options)
