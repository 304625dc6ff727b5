"""The Backblaze buckets and the keys that their consumers hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.b2 import B2ApplicationKey, B2Bucket
from components.b2_account import Account
from components.base import Component
from dreamseed.planning.object_store import BucketPlan


@dataclass(frozen=True, kw_only=True)
class ObjectStoreArgs:
    """What `ObjectStore` needs: the buckets that the plan asks for."""

    buckets: Sequence[BucketPlan]


class ObjectStore(Component):
    """Private buckets for models, content and backups, each with one key for its one consumer.

    Declares no public bucket, no key over the account and no replication: the second site is written by the
    backup itself, so that one account's loss or takeover leaves the other. Files are moved by others:
    models by the owners, backups by pgBackRest. Source: docs/surprises.md, sections 2 and 6, 2026-11-22.
    """

    token = "dreamseed:storage:ObjectStore"  # noqa: S105 - a resource's type token, not a secret

    names: dict[str, str]
    """Bucket names by role."""
    endpoints: dict[str, str]
    """Hosts of the S3 interface by role."""
    key_ids: dict[str, pulumi.Output[str]]
    """S3 access key ids by role."""
    keys: dict[str, pulumi.Output[str]]
    """S3 secret keys by role, secret outputs."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        keys = {bucket.role: self._declare(bucket) for bucket in args.buckets}
        self.publish(
            names={str(bucket.role): bucket.name for bucket in args.buckets},
            endpoints={str(bucket.role): bucket.endpoint for bucket in args.buckets},
            key_ids={str(role): key.id for role, key in keys.items()},
            keys={str(role): key.application_key for role, key in keys.items()},
        )

    def _declare(self, plan: BucketPlan) -> B2ApplicationKey:
        account = Account.SECOND if plan.second_account else Account.PRIMARY
        bucket = B2Bucket(
            plan.name,
            account=account,
            region=plan.region,
            name=plan.name,
            lock_days=plan.lock_days,
            hidden_days=plan.hidden_days,
            expire_days=plan.expire_days,
            opts=self.stateful(),
        )

        def key(name: str) -> B2ApplicationKey:
            return B2ApplicationKey(
                name,
                account=account,
                name=name,
                bucket_id=bucket.id,
                capabilities=plan.capabilities,
                opts=self.child(),
            )

        return plan.generations.declared(plan.key_name, key)
