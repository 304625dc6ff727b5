"""The bucket of the engine's state: declared by the program, made before it by `dreamseed state bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.config.service import Service

KEPT_VERSIONS = 50
VERSION_DAYS = 365
SOFT_DELETE_SECONDS = 30 * 86_400


@dataclass(frozen=True, kw_only=True)
class StateBucketPlan:
    """A private bucket in `location` that keeps each superseded version for a year, and 50 of them for ever.

    What is deleted can be brought back for 30 days. There is no retention policy: the engine overwrites its state and
    deletes its locks, which a retention policy forbids. Google encrypts what lies in it; the state's secrets are
    encrypted by the passphrase before.
    """

    name: str
    project: str
    location: str

    @property
    def url(self) -> str:
        """Return what `pulumi login` takes."""
        return f"gs://{self.name}"


def state_bucket(service: Service) -> StateBucketPlan:
    """Return the plan of the service's state bucket."""
    return StateBucketPlan(
        name=f"{service.gcp_project}-pulumi-state", project=service.gcp_project, location=service.region.upper()
    )
