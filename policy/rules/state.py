"""What holds state is hard to delete, is backed up, and can be brought back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dreamseed.catalog.stateful import PASSWORD_TYPE, is_stateful
from dreamseed.config.cloud import RecoveryKind
from dreamseed.keys.resources import leaving_passwords
from policy.model import Resource, Rule, Stage, of_type

BUCKET = "gcp:storage/bucket:Bucket"
B2_BUCKET = "pulumi-python:dynamic/b2:Bucket"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 - a type token
GUARDED: Mapping[str, tuple[str, object]] = {
    "gcp:cloudrunv2/service:Service": ("deletionProtection", True),
    "gcp:compute/instance:Instance": ("deletionProtection", True),
    "gcp:secretmanager/secret:Secret": ("deletionProtection", True),
    "gcp:sql/databaseInstance:DatabaseInstance": ("deletionProtection", True),
    "gcp:storage/bucket:Bucket": ("deletionPolicy", "PREVENT"),
    "gcp:artifactregistry/repository:Repository": ("deletionPolicy", "PREVENT"),
    "gcp:compute/address:Address": ("deletionPolicy", "PREVENT"),
    "gcp:compute/disk:Disk": ("deletionPolicy", "PREVENT"),
    "gcp:compute/globalAddress:GlobalAddress": ("deletionPolicy", "PREVENT"),
    "gcp:compute/haVpnGateway:HaVpnGateway": ("deletionPolicy", "PREVENT"),
    "grafana:cloud/stack:Stack": ("deleteProtection", True),
}
"""Types whose provider can refuse to delete, and the input by which it does."""
LEAST_SOFT_DELETE_SECONDS = 7 * 86_400
LEAST_BACKUPS = 7
ENCRYPTED = ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")


def _unprotected(resource: Resource, stage: Stage) -> Iterator[str]:
    # The previous generation of a password that is exchanged is on its way out, by a line of the stage's settings.
    leaving = resource.type == PASSWORD_TYPE and resource.name in leaving_passwords(stage.config)
    if not resource.protect and not leaving:
        yield "it holds state, and the engine would delete it"


def _unguarded(resource: Resource, _: Stage) -> Iterator[str]:
    name, wanted = GUARDED[resource.type]
    if resource.at(name) != wanted:
        yield f"{name} is {resource.at(name)}, so the provider would delete it"


def _bucket(resource: Resource, _: Stage) -> Iterator[str]:
    if resource.at("versioning.enabled") is not True:
        yield "it keeps no older versions"
    if not resource.at("lifecycleRules"):
        yield "no rule ever ends a version"
    if resource.at("publicAccessPrevention") != "enforced" or resource.at("uniformBucketLevelAccess") is not True:
        yield "an object of it could be made public"
    if resource.at("forceDestroy"):
        yield "it would be deleted with all that is in it"
    if resource.at("softDeletePolicy.retentionDurationSeconds", 0) < LEAST_SOFT_DELETE_SECONDS:
        yield f"what is deleted is gone in less than {LEAST_SOFT_DELETE_SECONDS // 86_400} days"


def _b2_bucket(resource: Resource, stage: Stage) -> Iterator[str]:
    store, days = stage.config.object_store, resource.at("hidden_days")
    if days != store.hidden_version_days:
        yield f"overwritten versions end after {days} days, not {store.hidden_version_days}"
    locked = resource.at("lock_days")
    if "backups" in str(resource.at("name", "")) and locked != store.backup_lock_days:
        yield f"backups are locked {locked} days, not {store.backup_lock_days}"


def _database(resource: Resource, stage: Stage) -> Iterator[str]:
    settings = resource.at("settings", {})
    if settings.get("deletionProtectionEnabled") is not True or settings.get("retainBackupsOnDelete") is not True:
        yield "a deletion would take its backups along"
    if settings.get("ipConfiguration", {}).get("sslMode") not in ENCRYPTED:
        yield "it takes connections in plain text"
    if stage.config.disaster_recovery.kind is RecoveryKind.STANDBY:
        yield from _standby(settings)


def _standby(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a standby lacks. A landing is loaded anew each night: the WAL archive is what it is made of."""
    backup = settings.get("backupConfiguration", {})
    if backup.get("enabled") is not True or backup.get("pointInTimeRecoveryEnabled") is not True:
        yield "it is not backed up to any second"
    if backup.get("backupRetentionSettings", {}).get("retainedBackups", 0) < LEAST_BACKUPS:
        yield f"fewer than {LEAST_BACKUPS} backups are kept"
    if settings.get("availabilityType") != "REGIONAL":
        yield "it stands in one zone"


def _repository(resource: Resource, _: Stage) -> Iterator[str]:
    if resource.at("dockerConfig.immutableTags") is not True:
        yield "a tag of it can be moved to another image"
    if not resource.at("cleanupPolicies"):
        yield "nothing ever ends an image that no tag names"


RULES = (
    Rule(
        name="state-is-protected",
        description="The engine refuses to delete whatever holds state.",
        remedy="declare it with the component's stateful() options",
        guards=lambda resource: is_stateful(resource.type, resource.inputs),
        faults=_unprotected,
    ),
    Rule(
        name="provider-refuses-deletion",
        description="The provider itself refuses to delete what it can guard.",
        remedy="set the guard; who really must delete it turns it off first, in a change of its own",
        guards=of_type(*GUARDED),
        faults=_unguarded,
    ),
    Rule(
        name="bucket-keeps-versions",
        description="A bucket keeps versions and deleted objects for a time, ends them by rule, and is private.",
        remedy="versioning, lifecycleRules, softDeletePolicy, publicAccessPrevention enforced, uniform access",
        guards=of_type(BUCKET),
        faults=_bucket,
    ),
    Rule(
        name="object-store-keeps-versions",
        description="A bucket at Backblaze ends hidden versions as the stage says; one of backups is locked.",
        remedy="take the days from object_store in the stage file",
        guards=of_type(B2_BUCKET),
        faults=_b2_bucket,
    ),
    Rule(
        name="database-is-recoverable",
        description="Cloud SQL speaks TLS and outlives its deletion; a standby is regional, with backups.",
        remedy="backupConfiguration with point-in-time recovery, sslMode ENCRYPTED_ONLY, REGIONAL for a standby",
        guards=of_type(SQL),
        faults=_database,
    ),
    Rule(
        name="images-stay-what-they-are",
        description="A tag names one image for ever, and images without a tag end by rule.",
        remedy="set immutableTags, and a cleanup policy for untagged images",
        guards=of_type(REPOSITORY),
        faults=_repository,
    ),
    Rule(
        name="secret-versions-are-kept",
        description="A secret's old version is disabled, not destroyed: a revision that runs may still name it.",
        remedy="set deletionPolicy to DISABLE",
        guards=of_type(SECRET_VERSION),
        faults=lambda r, _: [] if r.at("deletionPolicy") == "DISABLE" else ["an old version would be destroyed"],
    ),
)
