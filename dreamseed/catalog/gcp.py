"""What the program takes for granted at Google Cloud: APIs, images, versions, names."""

from __future__ import annotations

from datetime import date

from dreamseed.catalog.provenance import Evidence, Provenance

APIS = (
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "certificatemanager.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "sts.googleapis.com",
)
"""APIs of the project, the same in all stages; an enabled API costs nothing."""

CONTAINER_OS_IMAGE = "projects/cos-cloud/global/images/family/cos-121-lts"
"""Google's Container-Optimized OS, long-term support: Docker and cloud-init, little else."""
CONTAINER_OS_PROVENANCE = Provenance(
    source="naming of the cos-NNN-lts families; that this family still receives builds was not looked up",
    recorded_on=date(2026, 11, 23),
    evidence=Evidence.UNVERIFIED,
)

CLOUD_SQL_VERSION = "POSTGRES_17"
"""The major version of the servers' own PostgreSQL image."""
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""Who signs the tokens of GitHub's workflows. Source: GitHub documentation, OpenID Connect, 2026-11-22."""
