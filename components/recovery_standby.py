"""The Cloud SQL instance of the disaster recovery."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import sql
from pulumi_random import RandomId

from components.base import Component
from components.labels import labels
from dreamseed.catalog.gcp import CLOUD_SQL_VERSION
from dreamseed.config.service import Service
from dreamseed.planning.recovery import RecoveryPlan, secret_prefix

SUFFIX_BYTES = 4
LOG_DAYS = 7
KEPT_BACKUPS = 7


def declare_standby(
    parent: Component,
    service: Service,
    plan: RecoveryPlan,
    network_id: pulumi.Input[str],
    password: pulumi.Input[str],
    after: Sequence[pulumi.Resource],
) -> sql.DatabaseInstance:
    """Declare the instance under a name that stays for all stages.

    A name is blocked for a week after a delete, hence the random part. The disk grows by itself, so its
    size is only the first one. Users and databases are the load's: declared here they would fail while the
    instance is stopped.
    """
    name = secret_prefix(service.name)
    suffix = RandomId(f"{name}-suffix", byte_length=SUFFIX_BYTES, opts=parent.stateful())
    # It grows by itself; and what loads start and stop is theirs to say.
    left_alone = ["settings.diskSize", *(["settings.activationPolicy"] if plan.rests else [])]
    options = parent.stateful(depends_on=list(after), ignore_changes=left_alone)
    return sql.DatabaseInstance(
        name,
        name=suffix.hex.apply(lambda text: f"{name}-{text}"),
        project=service.gcp_project,
        region=service.region,
        database_version=CLOUD_SQL_VERSION,
        root_password=password,
        deletion_protection=True,
        settings=sql.DatabaseInstanceSettingsArgs(
            tier=plan.tier,
            edition="ENTERPRISE",
            availability_type=plan.availability,
            activation_policy="ALWAYS",
            disk_type="PD_SSD",
            disk_size=plan.disk_gib,
            disk_autoresize=True,
            deletion_protection_enabled=True,
            retain_backups_on_delete=True,
            backup_configuration=_backups(plan),
            ip_configuration=sql.DatabaseInstanceSettingsIpConfigurationArgs(
                ipv4_enabled=False, private_network=network_id, ssl_mode="ENCRYPTED_ONLY"
            ),
            user_labels=labels(service.name),
        ),
        opts=options,
    )


def _backups(plan: RecoveryPlan) -> sql.DatabaseInstanceSettingsBackupConfigurationArgs:
    """Return backups with recovery to any second where the instance may carry the service; HA demands both."""
    if not plan.keeps_backups:
        return sql.DatabaseInstanceSettingsBackupConfigurationArgs(enabled=False, point_in_time_recovery_enabled=False)
    retention = sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
        retained_backups=KEPT_BACKUPS, retention_unit="COUNT"
    )
    return sql.DatabaseInstanceSettingsBackupConfigurationArgs(
        enabled=True,
        point_in_time_recovery_enabled=True,
        transaction_log_retention_days=LOG_DAYS,
        backup_retention_settings=retention,
    )
