"""The buckets of the object store, who may do what in them, and how long what is deleted there stays.

Lock and expiry. Every B2 bucket keeps versions: what pgBackRest expires is hidden, not gone, and the
lifecycle rule deletes it `hidden_version_days` later. New files of the backup buckets are locked for
`backup_lock_days` in governance mode, and no key of ours may bypass that, so a server that is taken over
can hide backups but not destroy them. So that expiry never meets a lock, the lock is no longer than the
shortest life of a backup file, `wal_retention_days`. Source: docs/surprises.md, section 6; Backblaze
documentation on object lock, 2026-11-23. That pgBackRest's deletes only hide (they name no version) follows
from the S3 protocol and was not tried against Backblaze itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName
from dreamseed.errors import PlanError
from dreamseed.planning.keys import FIRST, Generations, generations_of


class BucketRole(StrEnum):
    """What a bucket is for; also the end of its name."""

    MODELS = "models"
    CONTENT = "content"
    BACKUPS = "backups"
    BACKUPS_SECOND = "backups-second"


READ = ("listBuckets", "listFiles", "readFiles")
WRITE = (*READ, "writeFiles")
DELETE = (*WRITE, "deleteFiles")
CONSUMERS = {
    BucketRole.MODELS: "servers",
    BucketRole.CONTENT: "api",
    BucketRole.BACKUPS: "postgres",
    BucketRole.BACKUPS_SECOND: "postgres",
}
"""Who holds a bucket's key."""


@dataclass(frozen=True, kw_only=True)
class BucketPlan:
    """One bucket and its only key. Days as in `B2Bucket`; `consumer` holds the key with `capabilities`.

    `key_name` is what the first of the key's `generations` is called.
    """

    role: BucketRole
    name: str
    region: str
    second_account: bool
    lock_days: int | None
    hidden_days: int
    expire_days: int | None
    consumer: str
    capabilities: tuple[str, ...]
    key_name: str
    generations: Generations = FIRST

    @property
    def endpoint(self) -> str:
        """Return the S3 host. Source: Backblaze B2 documentation, S3-compatible API, 2026-11-22."""
        return f"s3.{self.region}.backblazeb2.com"


def bucket_name(config: StageConfig, role: BucketRole) -> str:
    """Return the name of the bucket for `role`; names are shared by all customers, hence the prefix."""
    return f"{config.object_store.bucket_prefix}-{role}"


def bucket_key_name(config: StageConfig, role: BucketRole) -> str:
    """Return the name of the first key to the bucket of `role`."""
    return f"{bucket_name(config, role)}-{CONSUMERS[role]}"


def plan_buckets(config: StageConfig, where: str) -> tuple[BucketPlan, ...]:
    """Return the stage's buckets; raises `PlanError` when a lock outlives the files that expiry deletes."""
    store, backup = config.object_store, config.backup
    if store.backup_lock_days > backup.wal_retention_days:
        raise PlanError(
            f"{where} › object_store › backup_lock_days",
            f"{store.backup_lock_days} days outlive backup › wal_retention_days {backup.wal_retention_days}",
            "backups that are due for deletion would still be locked, and billed",
            f"backup_lock_days of at most {backup.wal_retention_days}",
        )
    rows = [
        (BucketRole.MODELS, READ, None),
        (BucketRole.CONTENT, DELETE, None),
        (BucketRole.BACKUPS, DELETE, store.backup_lock_days),
    ]
    buckets = [
        BucketPlan(
            role=role,
            name=bucket_name(config, role),
            region=store.region,
            second_account=False,
            lock_days=lock_days,
            hidden_days=store.hidden_version_days,
            expire_days=None,
            consumer=CONSUMERS[role],
            capabilities=capabilities,
            key_name=bucket_key_name(config, role),
            generations=generations_of(config, KeyName(f"{role}-key")),
        )
        for role, capabilities, lock_days in rows
    ]
    if backup.second_site and store.second_region is not None:
        buckets.append(
            BucketPlan(
                role=BucketRole.BACKUPS_SECOND,
                name=bucket_name(config, BucketRole.BACKUPS_SECOND),
                region=store.second_region,
                second_account=True,
                lock_days=store.backup_lock_days,
                hidden_days=store.hidden_version_days,
                expire_days=second_site_expire_days(config),
                consumer=CONSUMERS[BucketRole.BACKUPS_SECOND],
                capabilities=WRITE,
                key_name=bucket_key_name(config, BucketRole.BACKUPS_SECOND),
                generations=generations_of(config, KeyName.BACKUPS_SECOND_KEY),
            )
        )
    return tuple(buckets)


def second_site_expire_days(config: StageConfig) -> int:
    """Return after how many days the second site hides a file by itself.

    Copies are only ever added there, and its key cannot delete, so the bucket must. A file lives at the
    first site for at most the kept full backups and the one being replaced, plus the WAL's retention; what
    is still needed after that, such as the archive's index, the next copy puts back.
    """
    backup = config.backup
    return (backup.keep_full + 1) * backup.full_every_days + backup.wal_retention_days
