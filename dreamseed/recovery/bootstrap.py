"""Make the bucket of the engine's state, or bring one that exists to what it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dreamseed.errors import DreamSeedError
from dreamseed.planning.state_bucket import KEPT_VERSIONS, SOFT_DELETE_SECONDS, VERSION_DAYS, StateBucketPlan

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]  # ships no types

LIFECYCLE = [
    {
        "action": {"type": "Delete"},
        "condition": {"daysSinceNoncurrentTime": VERSION_DAYS, "numNewerVersions": KEPT_VERSIONS},
    }
]


class BootstrapError(DreamSeedError):
    """The bucket cannot be made, or is not what it must be and cannot become it."""


@dataclass(frozen=True)
class Setting:
    """One property of the bucket: what it is called, what it must be, and how it is read and set."""

    says: str
    wanted: Any
    get: Callable[[Bucket], Any]
    put: Callable[[Bucket, Any], None]


def _put_versioning(bucket: Bucket, value: bool) -> None:
    bucket.versioning_enabled = value


def _put_uniform(bucket: Bucket, value: bool) -> None:
    bucket.iam_configuration.uniform_bucket_level_access_enabled = value


def _put_private(bucket: Bucket, value: str) -> None:
    bucket.iam_configuration.public_access_prevention = value


def _put_soft_delete(bucket: Bucket, value: int) -> None:
    bucket.soft_delete_policy.retention_duration_seconds = value


def _put_lifecycle(bucket: Bucket, value: list[dict[str, Any]]) -> None:
    bucket.lifecycle_rules = value


SETTINGS = (
    Setting("every version is kept", True, lambda b: b.versioning_enabled, _put_versioning),
    Setting(
        "access by roles alone",
        True,
        lambda b: b.iam_configuration.uniform_bucket_level_access_enabled,
        _put_uniform,
    ),
    Setting("never public", "enforced", lambda b: b.iam_configuration.public_access_prevention, _put_private),
    Setting(
        f"what is deleted can be brought back for {SOFT_DELETE_SECONDS // 86_400} days",
        SOFT_DELETE_SECONDS,
        lambda b: b.soft_delete_policy.retention_duration_seconds,
        _put_soft_delete,
    ),
    Setting(
        f"versions go after {VERSION_DAYS} days, but for the last {KEPT_VERSIONS}",
        LIFECYCLE,
        lambda b: [dict(rule) for rule in b.lifecycle_rules],
        _put_lifecycle,
    ),
)


def signed_in(plan: StateBucketPlan) -> Client:
    """Return a client by the application default credentials; raises `BootstrapError` where there are none."""
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.storage import Client

    try:
        return Client(project=plan.project)
    except DefaultCredentialsError as error:
        raise BootstrapError(
            plan.url,
            "nobody is signed in to Google Cloud",
            "the bucket is made in your name",
            "gcloud auth application-default login",
        ) from error


def bootstrap(client: Client, plan: StateBucketPlan, *, dry_run: bool) -> list[str]:
    """Make the bucket or mend it; return what was done, or would be, nothing where all is as planned.

    Raises `BootstrapError` where somebody else has the name, it lies elsewhere, or the account may not.
    """
    with _explained(plan):
        bucket = client.lookup_bucket(plan.name)
        made = bucket is None
        if bucket is None:
            bucket = client.bucket(plan.name)
        elif bucket.location != plan.location:
            raise BootstrapError(
                plan.url,
                f"lies in {bucket.location}, not in {plan.location}",
                "a bucket never moves, and the program would replace it",
                f"another project, or a region of {bucket.location} in service.region",
            )
        differing = [setting for setting in SETTINGS if made or setting.get(bucket) != setting.wanted]
        for setting in differing:
            setting.put(bucket, setting.wanted)
        if made and not dry_run:
            client.create_bucket(bucket, project=plan.project, location=plan.location)
        elif differing and not dry_run:
            bucket.patch()
    lines = [f"bucket {plan.name} in {plan.location}, project {plan.project}: made"] if made else []
    return lines + [setting.says for setting in differing]


@contextmanager
def _explained(plan: StateBucketPlan) -> Iterator[None]:
    from google.api_core.exceptions import Conflict, Forbidden, GoogleAPICallError, Unauthorized
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (Conflict, Forbidden, Unauthorized) as error:
        raise BootstrapError(
            plan.url,
            f"Google refused: {error.message}",
            "bucket names are shared by all customers, and making one needs roles/storage.admin in the project",
            f"gcloud auth application-default login as one who may, or another service.gcp_project than {plan.project}",
        ) from error
    except GoogleAPICallError as error:
        raise BootstrapError(
            plan.url, f"Google answered: {error.message}", "the bucket is made by Google's API", "it again, later"
        ) from error
    except GoogleAuthError as error:
        raise BootstrapError(
            plan.url, f"signing in failed: {error}", "the bucket is made in your name", "gcloud auth login, once more"
        ) from error
