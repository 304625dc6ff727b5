"""The fake Backblaze accounts: buckets and application keys, refused in the words of the real API.

Source: Backblaze B2 native API reference v4 and the error codes that b2sdk 2.13.1 understands, 2026-11-23. Files are
not kept: `files` on a bucket, set by hand, stands for what would make it non-empty.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.providers.cloud.store import Row, Store

Json = dict[str, Any]

BUCKET, KEY = "b2:bucket", "b2:key"
BUCKET_NAME = re.compile(r"(?!b2-)[A-Za-z0-9-]{6,63}", re.IGNORECASE)
KEY_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
BUCKET_TYPES = ("allPrivate", "allPublic")
MAXIMUM_KEYS_A_PAGE = 1000

# The accounts' master keys. They open nothing but this process.
APPLICATION_KEY_ID, APPLICATION_KEY = "0000rehearsal", "K000rehearsalPrimaryAccount"
SECOND_KEY_ID, SECOND_KEY = "0001rehearsal", "K001rehearsalSecondAccount"
MASTERS = {APPLICATION_KEY_ID: (APPLICATION_KEY, "rehearsal0000"), SECOND_KEY_ID: (SECOND_KEY, "rehearsal0001")}


class B2RefusedError(Exception):
    """An answer other than 200: HTTP status, the API's code and its message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Caller:
    """Who calls: the account, and what the key may do there (None: everything, everywhere)."""

    account: str
    capabilities: tuple[str, ...] | None = None
    buckets: tuple[str, ...] | None = None
    name_prefix: str | None = None

    def needs(self, capability: str) -> None:
        """Refuse the call when the key lacks the capability."""
        if self.capabilities is not None and capability not in self.capabilities:
            raise B2RefusedError(401, "unauthorized", f"unauthorized: the key lacks the capability {capability}")


class Accounts:
    """The endpoints' logic; every method takes the caller and the request's body."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def caller(self, key_id: str, key: str | None) -> Caller:
        """Who owns a key; `key` None means that the key was proved before."""
        if key_id in MASTERS:
            expected, account = MASTERS[key_id]
            if key is None or secrets.compare_digest(key, expected):
                return Caller(account)
        row = self._row(KEY, key_id)
        if row is None or (key is not None and row.inputs["digest"] != _digest(key)):
            raise B2RefusedError(401, "unauthorized", "")
        out = row.outputs
        buckets = tuple(out["bucketIds"]) if out["bucketIds"] else None
        return Caller(out["accountId"], tuple(out["capabilities"]), buckets, out["namePrefix"])

    def allowed(self, caller: Caller) -> Json:
        """What `b2_authorize_account` says of the caller's key."""
        from b2sdk.v2 import ALL_CAPABILITIES  # type: ignore[import-untyped] # ships no types; slow, so only when asked

        names = {row.id: row.identity for row in self._store.rows(BUCKET)}
        buckets = caller.buckets and [{"id": bucket, "name": names.get(bucket)} for bucket in caller.buckets]
        capabilities = list(ALL_CAPABILITIES if caller.capabilities is None else caller.capabilities)
        return {"buckets": buckets or None, "capabilities": capabilities, "namePrefix": caller.name_prefix}

    def create_bucket(self, caller: Caller, body: Json) -> Json:
        """Make a bucket; its name is taken from every other account too."""
        caller.needs("writeBuckets")
        name = str(body["bucketName"])
        if not BUCKET_NAME.fullmatch(name):
            raise B2RefusedError(400, "bad_request", f"Invalid bucketName: {name}")
        if body["bucketType"] not in BUCKET_TYPES:
            raise B2RefusedError(400, "bad_request", f"Invalid bucketType: {body['bucketType']}")
        if self._store.by_identity(BUCKET, "", name.lower()) is not None:
            raise B2RefusedError(400, "duplicate_bucket_name", "Bucket name is already in use.")
        identifier = hashlib.sha256(f"{name} {self._store.count(f'b2 {name}')}".encode()).hexdigest()[:24]
        bucket = {
            "accountId": caller.account,
            "bucketId": identifier,
            "bucketName": name,
            "bucketType": body["bucketType"],
            "bucketInfo": body.get("bucketInfo") or {},
            "corsRules": body.get("corsRules") or [],
            "lifecycleRules": body.get("lifecycleRules") or [],
            "encryption": body.get("defaultServerSideEncryption"),
            "fileLockEnabled": bool(body.get("fileLockEnabled")),
            "retention": None,
            "replication": body.get("replicationConfiguration"),
            "revision": 1,
            "files": 0,
        }
        self._store.put(Row(BUCKET, "", identifier, name.lower(), "", {}, bucket))
        return _shown(bucket)

    def update_bucket(self, caller: Caller, body: Json) -> Json:
        """Change a bucket's settings; each one that is left out stays."""
        caller.needs("writeBuckets")
        row = self._bucket(caller, body)
        bucket = dict(row.outputs)
        if body.get("ifRevisionIs") not in {None, bucket["revision"]}:
            raise B2RefusedError(409, "conflict", "The bucket has another revision.")
        if bucket["fileLockEnabled"] and body.get("fileLockEnabled") is False:
            message = "fileLockEnabled value of false is not allowed when bucket is already file lock enabled."
            raise B2RefusedError(400, "bad_request", message)
        for field in ("bucketType", "bucketInfo", "corsRules", "lifecycleRules", "fileLockEnabled"):
            if body.get(field) is not None:
                bucket[field] = body[field]
        for field, kept in (
            ("defaultServerSideEncryption", "encryption"),
            ("defaultRetention", "retention"),
            ("replicationConfiguration", "replication"),
        ):
            if body.get(field) is not None:
                bucket[kept] = body[field]
        retention = bucket["retention"] or {}
        if retention.get("mode") not in {None, "none"} and not bucket["fileLockEnabled"]:
            raise B2RefusedError(
                400, "bad_request", "The bucket is not file lock enabled: no default retention can be set."
            )
        bucket["revision"] += 1
        self._store.put(replace(row, outputs=bucket))
        return _shown(bucket)

    def list_buckets(self, caller: Caller, body: Json) -> Json:
        """The account's buckets, by id or name when asked."""
        caller.needs("listBuckets")
        wanted = {"bucketId": body.get("bucketId"), "bucketName": body.get("bucketName")}
        found = [
            row.outputs
            for row in self._store.rows(BUCKET)
            if row.outputs["accountId"] == caller.account
            and (caller.buckets is None or row.id in caller.buckets)
            and all(value is None or row.outputs[key] == value for key, value in wanted.items())
        ]
        return {"buckets": [_shown(bucket) for bucket in found]}

    def delete_bucket(self, caller: Caller, body: Json) -> Json:
        """Delete an empty bucket."""
        caller.needs("deleteBuckets")
        row = self._bucket(caller, body)
        if row.outputs["files"]:
            raise B2RefusedError(400, "cannot_delete_non_empty_bucket", "Cannot delete non-empty bucket")
        self._store.remove(row)
        return _shown(row.outputs)

    def create_key(self, caller: Caller, body: Json) -> Json:
        """Make an application key; its secret is told this once."""
        caller.needs("writeKeys")
        if not KEY_NAME.fullmatch(str(body["keyName"])):
            raise B2RefusedError(400, "bad_request", f"Invalid keyName: {body['keyName']}")
        known = self.allowed(Caller(caller.account))["capabilities"]
        if unknown := set(body["capabilities"]) - set(known):
            raise B2RefusedError(400, "bad_request", f"{sorted(unknown)[0]} is not a valid capability")
        # Version 3 of the API knows one bucket a key, version 4 several.
        buckets = body.get("bucketIds") or ([body["bucketId"]] if body.get("bucketId") else None)
        for bucket in buckets or ():
            self._bucket(caller, {"bucketId": bucket})
        secret, identifier = f"K{secrets.token_urlsafe(24)}", f"00{secrets.token_hex(12)}"
        key = {
            "accountId": caller.account,
            "applicationKeyId": identifier,
            "keyName": body["keyName"],
            "capabilities": list(body["capabilities"]),
            "bucketIds": buckets,
            "bucketId": buckets[0] if buckets else None,
            "namePrefix": body.get("namePrefix"),
            "options": ["s3"],
        }
        self._store.put(Row(KEY, "", identifier, identifier, "", {"digest": _digest(secret)}, key))
        return key | {"applicationKey": secret}

    def list_keys(self, caller: Caller, body: Json) -> Json:
        """The account's application keys, a page at a time."""
        caller.needs("listKeys")
        start = body.get("startApplicationKeyId") or ""
        keys = [row.outputs for row in self._store.rows(KEY) if row.outputs["accountId"] == caller.account]
        rest = [key for key in keys if key["applicationKeyId"] >= start]
        size = body.get("maxKeyCount") or MAXIMUM_KEYS_A_PAGE
        following = rest[size]["applicationKeyId"] if len(rest) > size else None
        return {"keys": rest[:size], "nextApplicationKeyId": following}

    def delete_key(self, caller: Caller, body: Json) -> Json:
        """Delete an application key."""
        caller.needs("deleteKeys")
        row = self._row(KEY, str(body["applicationKeyId"]))
        if row is None or row.outputs["accountId"] != caller.account:
            raise B2RefusedError(400, "bad_request", "application key id not found")
        self._store.remove(row)
        return row.outputs

    def _row(self, token: str, identifier: str) -> Row | None:
        return self._store.by_id(token, "", identifier, "")

    def _bucket(self, caller: Caller, body: Mapping[str, Any]) -> Row:
        row = self._row(BUCKET, str(body["bucketId"]))
        if row is None or row.outputs["accountId"] != caller.account:
            raise B2RefusedError(400, "bad_bucket_id", f"Bucket {body['bucketId']} does not exist")
        return row


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _shown(bucket: Mapping[str, Any]) -> Json:
    """A bucket as the API shows it."""
    public = {
        "accountId",
        "bucketId",
        "bucketName",
        "bucketType",
        "bucketInfo",
        "corsRules",
        "lifecycleRules",
        "revision",
    }
    lock = {
        "isFileLockEnabled": bucket["fileLockEnabled"],
        "defaultRetention": bucket["retention"] or {"mode": None, "period": None},
    }
    encryption = bucket["encryption"] or {"mode": None, "algorithm": None}
    replication = {"isClientAuthorizedToRead": True, "value": bucket["replication"]} if bucket["replication"] else None
    return {key: value for key, value in bucket.items() if key in public} | {
        "options": ["s3"],
        "defaultServerSideEncryption": {"isClientAuthorizedToRead": True, "value": encryption},
        "fileLockConfiguration": {"isClientAuthorizedToRead": True, "value": lock},
        "replicationConfiguration": replication,
    }
