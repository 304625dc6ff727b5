"""The object store outside: versitygw, an S3 server over a folder, in place of Backblaze B2's S3 interface.

One server a region, as its requests are signed for one. A bucket is a folder. Who may do what there is a bucket policy
made of the plan's capabilities; the server reads accounts and policies at every request, so changes hold at once.
Source: versitygw 1.8.0, auth/iam_internal.go (`users.json`) and backend/posix (a bucket's policy is its folder's
extended attribute `user.policy`), 2026-11-24. Not imitated: B2's versions, object lock and lifecycle rules.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dreamseed.planning.object_store import BucketPlan
from localtier.certificates import CertificateFiles

HTTPS_PORT = 443
FIRST_ADDRESS = 11
ADDRESSES = "198.51.100"
"""Addresses for documentation, which nobody has (RFC 5737), stand for the internet's."""

POLICY_ATTRIBUTE = "user.policy"

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "listBuckets": ("s3:GetBucketLocation",),
        "listFiles": ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"),
        "readFiles": ("s3:GetObject", "s3:GetObjectVersion"),
        "writeFiles": ("s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
        "deleteFiles": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    }
)
"""What each of a B2 key's capabilities allows through the S3 interface.

Source: backblaze.com/docs, "S3-Compatible App Keys" and "Application Key Capabilities", 2026-11-24. Stricter in one
point: there a key without `deleteFiles` may still delete by name, which hides the file; here that would destroy it.
"""


@dataclass(frozen=True)
class KeyPair:
    """An application key: its id, its secret, and the one bucket that it is for."""

    key_id: str
    key: str
    bucket: str


@dataclass(frozen=True, kw_only=True)
class Site:
    """The store of one region: where it answers, its buckets, and the folder of its data, accounts and certificate."""

    region: str
    endpoint: str
    address: str
    buckets: tuple[BucketPlan, ...]
    folder: Path

    @property
    def service(self) -> str:
        """Return the name under which its server runs."""
        return f"object-store-{self.region}"

    @property
    def data(self) -> Path:
        """Return the folder of the buckets."""
        return self.folder / "data"

    @property
    def accounts(self) -> Path:
        """Return the folder of the accounts."""
        return self.folder / "accounts"


def sites(buckets: Sequence[BucketPlan], folder: Path) -> tuple[Site, ...]:
    """Return the sites of the planned buckets, in the order of first use, so that a later site moves none."""
    endpoints = dict.fromkeys((bucket.region, bucket.endpoint) for bucket in buckets)
    return tuple(
        Site(
            region=region,
            endpoint=endpoint,
            address=f"{ADDRESSES}.{FIRST_ADDRESS + index}",
            buckets=tuple(bucket for bucket in buckets if bucket.region == region),
            folder=folder / region,
        )
        for index, (region, endpoint) in enumerate(endpoints)
    )


def prepare(site: Site) -> None:
    """Make a site's folders, its buckets and an empty list of accounts, as far as they are missing."""
    for folder in (site.accounts, *(site.data / bucket.name for bucket in site.buckets)):
        folder.mkdir(parents=True, exist_ok=True)
    if not (site.accounts / "users.json").exists():
        sync_keys(site, ())


def command(binary: Path, site: Site, certificate: CertificateFiles) -> list[str]:
    """Return the command line of a site's server."""
    return [
        str(binary),
        f"--port={site.address}:{HTTPS_PORT}",
        f"--cert={certificate.certificate}",
        f"--key={certificate.key}",
        f"--region={site.region}",
        f"--iam-dir={site.accounts}",
        "--iam-cache-disable",
        "--quiet",
        "posix",
        str(site.data),
    ]


def environment(site: Site) -> dict[str, str]:
    """Return the server's own account, made once; nobody here uses it, but the server does not start without."""
    path = site.folder / "root.json"
    if not path.exists():
        _write(path, {"ROOT_ACCESS_KEY": secrets.token_hex(10), "ROOT_SECRET_KEY": secrets.token_hex(20)})
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sync_keys(site: Site, keys: Iterable[KeyPair]) -> None:
    """Let a site take exactly these keys from now on; nothing is written when it does already."""
    ours = [key for key in keys if key.bucket in {bucket.name for bucket in site.buckets}]
    accounts = {key.key_id: {"access": key.key_id, "secret": key.key, "role": "user"} for key in ours}
    _write(site.accounts / "users.json", {"accessAccounts": accounts})
    for bucket in site.buckets:
        _set_policy(site.data / bucket.name, policy(bucket, ours))


def policy(bucket: BucketPlan, keys: Iterable[KeyPair]) -> dict[str, Any] | None:
    """Return the bucket's policy: its own keys have the plan's capabilities. None when it has no key."""
    resources = [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"]
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": [key.key_id]},
            "Action": actions(bucket.capabilities),
            "Resource": resources,
        }
        for key in keys
        if key.bucket == bucket.name
    ]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def actions(capabilities: Iterable[str]) -> list[str]:
    """Return the S3 actions that a key's capabilities allow. Raises KeyError for an unknown capability."""
    return [action for capability in capabilities for action in ACTIONS[capability]]


def _set_policy(bucket: Path, wanted: dict[str, Any] | None) -> None:
    value = b"" if wanted is None else json.dumps(wanted).encode()
    before = b""
    with suppress(OSError):
        before = os.getxattr(bucket, POLICY_ATTRIBUTE)
    if value == before:
        return
    if wanted is None:
        os.removexattr(bucket, POLICY_ATTRIBUTE)
    else:
        os.setxattr(bucket, POLICY_ATTRIBUTE, value)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file with secrets at once, for its owner only; leave it alone when it says so already."""
    text = json.dumps(content, indent=1)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8")
    part.rename(path)
