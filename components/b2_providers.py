"""The dynamic providers behind `components.b2`: what to call at Backblaze, by b2sdk.

The provider objects hold no state and live in an importable module, so that they are stored by reference:
changing this code changes no resource. Credentials are read when a call is made (see `b2_account`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.rpc import UNKNOWN

from components.b2_account import Account, StoreError, adopts, check_region, connect, explained

if TYPE_CHECKING:
    from b2sdk.v2 import B2Api, Bucket  # type: ignore[import-untyped]  # ships no types

MAX_LOCK_DAYS = 3_000
"""Source: Backblaze help, default bucket retention, 2026-11-23."""
BUCKET_NAME = re.compile(r"(?!b2-)[a-z0-9][a-z0-9-]{4,61}[a-z0-9]")
CAPABILITIES = frozenset({"deleteFiles", "listBuckets", "listFiles", "readFiles", "writeFiles"})
"""What a consumer may get: nothing over buckets or keys, and not bypassGovernance, which undoes the lock."""


class _Provider(ResourceProvider):
    """What both providers share: comparing their own properties, and saying which ones replace."""

    serialize_as_secret_always = False
    fields: tuple[str, ...]
    replacing: tuple[str, ...]

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Return which of the own properties changed and which of those replace."""
        changed = [field for field in self.fields if _olds.get(field) != _news.get(field)]
        return DiffResult(
            changes=bool(changed),
            replaces=[field for field in changed if field in self.replacing],
            stables=list(self.replacing),
            delete_before_replace=False,
        )

    def own(self, props: dict[str, Any]) -> dict[str, Any]:
        """Return the provider's own properties among `props`."""
        return {field: props.get(field) for field in self.fields}


class BucketProvider(_Provider):
    """Creates, reads, updates and deletes buckets."""

    fields = ("account", "region", "name", "lock_days", "hidden_days", "expire_days")
    replacing = ("account", "region", "name")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse names that Backblaze or S3 would refuse, and days out of range."""
        failures = []
        name, lock_days = news.get("name"), news.get("lock_days")
        if name != UNKNOWN and not BUCKET_NAME.fullmatch(str(name)):
            reason = f"'{name}' is no bucket name: 6 to 63 of a-z, 0-9 and -, not beginning with b2-"
            failures.append(CheckFailure("name", reason))
        if lock_days not in (UNKNOWN, None) and not 1 <= lock_days <= MAX_LOCK_DAYS:
            reason = f"{lock_days} is no lock: 1 to {MAX_LOCK_DAYS} days, or null for none"
            failures.append(CheckFailure("lock_days", reason))
        for field, optional in (("hidden_days", False), ("expire_days", True)):
            days = news.get(field)
            if days != UNKNOWN and not (days is None and optional) and (days is None or days < 1):
                failures.append(CheckFailure(field, f"{days} is too short: at least 1 day"))
        return CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the bucket, or take over one that is to be adopted; raises `StoreError`."""
        account = Account(props["account"])
        api = connect(account)
        check_region(api, props["region"], account)
        with explained(f"creating bucket {props['name']}"):
            found = api.list_buckets(bucket_name=props["name"]) if adopts(props["name"]) else []
            bucket = found[0] if found else _make(api, props)
            if found or props.get("lock_days") is not None:
                _set(bucket, props)
        return CreateResult(bucket.id_, self.own(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Set lifecycle and lock; raises `StoreError`."""
        api = connect(Account(_news["account"]))
        with explained(f"updating bucket {_news['name']}"):
            _set(api.get_bucket_by_id(_id), _news)
        return UpdateResult(self.own(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the bucket as it is, or no id when it is gone; raises `StoreError`."""
        account = Account(props["account"])
        api = connect(account)
        with explained(f"reading bucket {id_}"):
            found = next(iter(api.list_buckets(bucket_id=id_)), None)
        if found is None:
            return ReadResult("", {})
        rule = found.lifecycle_rules[0] if len(found.lifecycle_rules) == 1 else {}
        period = found.default_retention.period
        actual = {
            "account": str(account),
            "region": props["region"],
            "name": found.name,
            "lock_days": period.duration if period else None,
            "hidden_days": rule.get("daysFromHidingToDeleting"),
            "expire_days": rule.get("daysFromUploadingToHiding"),
        }
        return ReadResult(id_, actual, dict(actual))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the bucket if it is there; raises `StoreError` when it holds files."""
        api = connect(Account(_props["account"]))
        with explained(f"deleting bucket {_props['name']}"):
            for bucket in api.list_buckets(bucket_id=_id):
                api.delete_bucket(bucket)


class ApplicationKeyProvider(_Provider):
    """Creates, reads and deletes application keys, which never change: a change makes a new one first."""

    fields = ("account", "name", "bucket_id", "capabilities")
    replacing = fields

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse names out of the alphabet and capabilities beyond a consumer's."""
        failures = []
        name, capabilities = news.get("name"), news.get("capabilities")
        if name != UNKNOWN and not re.fullmatch(r"[A-Za-z0-9-]{1,100}", str(name)):
            reason = f"'{name}' is no key name: letters, digits and -, at most 100"
            failures.append(CheckFailure("name", reason))
        if capabilities != UNKNOWN:
            wrong = sorted(set(capabilities or ()) - CAPABILITIES - {UNKNOWN})
            if wrong or not capabilities:
                failures.append(
                    CheckFailure(
                        "capabilities",
                        f"{', '.join(wrong) or 'nothing'} may not be handed out: "
                        f"a consumer gets some of {', '.join(sorted(CAPABILITIES))}",
                    )
                )
        return CheckResult(news, failures)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the key: the only moment at which Backblaze tells its secret."""
        api = connect(Account(props["account"]))
        with explained(f"creating application key {props['name']}"):
            key = api.create_key(list(props["capabilities"]), props["name"], bucket_id=props["bucket_id"])
        return CreateResult(key.id_, {**self.own(props), "application_key": key.application_key})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Never called, since every change replaces."""
        raise StoreError("an application key cannot be changed", "Backblaze knows no such call", "a new key")

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the key as it is, or no id when it is gone; raises `StoreError`."""
        api = connect(Account(props["account"]))
        with explained(f"reading application key {id_}"):
            found = api.get_key(id_)
        if found is None:
            return ReadResult("", {})
        actual = {
            "account": props["account"],
            "name": found.key_name,
            "bucket_id": found.bucket_id,
            "capabilities": sorted(found.capabilities),
        }
        return ReadResult(id_, {**actual, "application_key": props.get("application_key")}, actual)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the key if it is there; raises `StoreError`."""
        api = connect(Account(_props["account"]))
        with explained(f"deleting application key {_props['name']}"):
            if api.get_key(_id) is not None:
                api.delete_key_by_id(_id)


def _make(api: B2Api, props: dict[str, Any]) -> Bucket:
    from b2sdk.v2 import SSE_B2_AES

    return api.create_bucket(
        props["name"],
        "allPrivate",
        lifecycle_rules=[_lifecycle(props)],
        default_server_side_encryption=SSE_B2_AES,
        is_file_lock_enabled=props.get("lock_days") is not None,
    )


def _lifecycle(props: dict[str, Any]) -> Any:
    """Return the one rule: hide some days after the upload, or never; delete some days after hiding."""
    expire_days = props.get("expire_days")
    return {
        "fileNamePrefix": "",
        "daysFromHidingToDeleting": int(props["hidden_days"]),
        "daysFromUploadingToHiding": None if expire_days is None else int(expire_days),
    }


def _set(bucket: Bucket, props: dict[str, Any]) -> None:
    """Set what is declared of a bucket. A lock once switched on stays possible; null only ends its default."""
    from b2sdk.v2 import (
        NO_RETENTION_BUCKET_SETTING,
        SSE_B2_AES,
        BucketRetentionSetting,
        RetentionMode,
        RetentionPeriod,
    )

    lock_days = props.get("lock_days")
    retention = (
        NO_RETENTION_BUCKET_SETTING
        if lock_days is None
        else BucketRetentionSetting(RetentionMode.GOVERNANCE, RetentionPeriod(days=int(lock_days)))
    )
    bucket.update(
        bucket_type="allPrivate",
        default_server_side_encryption=SSE_B2_AES,
        lifecycle_rules=[_lifecycle(props)],
        default_retention=retention,
        is_file_lock_enabled=True if lock_days is not None else None,
    )
