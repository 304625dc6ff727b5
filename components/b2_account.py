"""Reaching a Backblaze B2 account: credentials from the environment, errors in words.

The variables are those of Backblaze's own command line tool: `B2_APPLICATION_KEY_ID`, `B2_APPLICATION_KEY`
and, for a realm other than production, `B2_ENVIRONMENT` (a name or a URL). The second account, which holds
the second site, has the same with `B2_SECOND_` in front. Source: b2 command line tool 4, README,
environment variables.

b2sdk is imported inside functions: a program that only declares buckets does not pay for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2sdk.v2 import B2Api  # type: ignore[import-untyped]  # ships no types

ADOPT_VARIABLE = "B2_ADOPT"
"""Names, with commas, of buckets that were made by hand: Pulumi cannot import what a dynamic provider declares."""


class Account(StrEnum):
    """The owners' Backblaze accounts; one account lives in one region."""

    PRIMARY = "primary"
    SECOND = "second"

    @property
    def variable_prefix(self) -> str:
        """Return how the names of the account's environment variables begin."""
        return "B2_" if self is Account.PRIMARY else "B2_SECOND_"


class StoreError(Exception):
    """What the object store refused: what, why and what to do instead."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(f"{what}\n  why: {why}\n  write instead: {remedy}")


def credentials(account: Account) -> tuple[str, str, str]:
    """Return realm, key id and key of `account`; raises `StoreError` when a variable is not set."""
    prefix = account.variable_prefix
    names = (f"{prefix}APPLICATION_KEY_ID", f"{prefix}APPLICATION_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise StoreError(
            f"the {account} Backblaze account cannot be reached: {' and '.join(missing)} not set",
            "buckets and keys are made with a key of their account",
            f"export {' and '.join(missing)} of a key that may write buckets and keys",
        )
    realm = os.environ.get(f"{prefix}ENVIRONMENT") or "production"
    return realm, os.environ[names[0]], os.environ[names[1]]


def adopts(name: str) -> bool:
    """Return whether the bucket `name` is to be taken over, should the account have it already."""
    return name in os.environ.get(ADOPT_VARIABLE, "").split(",")


def connect(account: Account) -> B2Api:
    """Return an authorized session of `account`; raises `StoreError`."""
    from b2sdk.v2 import B2Api, InMemoryAccountInfo

    realm, key_id, key = credentials(account)
    api = B2Api(InMemoryAccountInfo())
    with explained(f"signing in to the {account} Backblaze account"):
        api.authorize_account(realm, key_id, key)
    return api


def region_of(api: B2Api) -> str | None:
    """Return the region of the session's account, or null where its S3 address names none.

    Source: Backblaze B2 documentation, S3-compatible API: endpoint ``s3.REGION.backblazeb2.com``, 2026-11-22.
    """
    match = re.fullmatch(r"https://s3\.([a-z0-9-]+)\.backblazeb2\.com/?", api.account_info.get_s3_api_url())
    return match.group(1) if match else None


def check_region(api: B2Api, region: str, account: Account) -> None:
    """Raise `StoreError` when `account` does not live in `region`."""
    actual = region_of(api)
    if actual is not None and actual != region:
        raise StoreError(
            f"the {account} Backblaze account lives in {actual}, not in {region}",
            "the region of a bucket is the region of its account and can never change",
            f"{actual} in object_store › {'region' if account is Account.PRIMARY else 'second_region'}, "
            f"or the {account.variable_prefix}APPLICATION_KEY of an account in {region}",
        )


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what the API answers into a `StoreError` that says what to do."""
    from b2sdk.v2.exception import (  # type: ignore[import-untyped]  # ships no types
        B2Error,
        BadRequest,
        DuplicateBucketName,
        InvalidAuthToken,
        Unauthorized,
    )

    try:
        yield
    except DuplicateBucketName:
        raise StoreError(
            f"{doing}: a bucket of this name exists",
            "bucket names are shared by all customers of Backblaze",
            f"another object_store › bucket_prefix; for a bucket of your own account, {ADOPT_VARIABLE}=NAME once",
        ) from None
    except (InvalidAuthToken, Unauthorized) as error:
        raise StoreError(
            f"{doing}: not allowed ({error})",
            "the key is wrong, expired or lacks a capability",
            "a key that may list, write and delete buckets and keys, write bucket retentions and encryption, "
            "and has each capability that it hands on",
        ) from None
    except BadRequest as error:
        if "non_empty" in str(error.code) or "non-empty" in str(error):
            raise StoreError(
                f"{doing}: the bucket still holds files",
                "deleting it would delete every backup, model or upload in it",
                "an empty bucket: delete its file versions by hand, once you are sure",
            ) from None
        why = "Backblaze found the request wrong"
        raise StoreError(f"{doing}: refused ({error})", why, "what its words ask for") from error
    except B2Error as error:
        why = "Backblaze could not do it"
        raise StoreError(f"{doing}: {error}", why, "the same command again, later") from error
