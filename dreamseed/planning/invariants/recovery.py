"""Backups: what can be restored, and how much may be missing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dreamseed.planning.invariants.rule import Invariant
from dreamseed.planning.objectives import PUSH_MARGIN_SECONDS, START_SECONDS, objectives
from dreamseed.planning.stage_plan import StagePlan


def archive_meets_rpo(plan: StagePlan) -> Iterator[Invariant]:
    """What may be lost with the servers is less than the promised RPO, where WAL is shipped at all."""
    backup, rpo_minutes = plan.config.backup, plan.config.disaster_recovery.rpo_minutes
    promised = objectives(plan.config)
    margins = [("push", PUSH_MARGIN_SECONDS, promised.rpo_seconds)]
    if promised.second_site_rpo_seconds is not None:
        margin = promised.second_site_rpo_seconds - backup.archive_timeout_seconds
        margins.append(("push and copy to the second site", margin, promised.second_site_rpo_seconds))
    for doing, margin, worst in margins if backup.wal_archive else ():
        most = rpo_minutes * 60 - margin
        yield Invariant(
            name="WAL archive and RPO" if margin == PUSH_MARGIN_SECONDS else "second site and RPO",
            where="backup › archive_timeout_seconds",
            left=f"{backup.archive_timeout_seconds} s and {margin} s to {doing} = {worst:,} s",
            right=f"disaster_recovery › rpo_minutes is {rpo_minutes} ({rpo_minutes * 60:,} s)",
            holds=worst <= rpo_minutes * 60,
            why="what no archived segment holds is lost with the servers",
            remedy=f"archive_timeout_seconds of at most {most}"
            if most > 0
            else f"rpo_minutes of at least {math.ceil(worst / 60)}",
        )


def restore_meets_rto(plan: StagePlan) -> Iterator[Invariant]:
    """The whole database is restored within the promised RTO, at the speed that drills are held to."""
    recovery, promised = plan.config.disaster_recovery, objectives(plan.config)
    copied = promised.restored_gb + promised.replayed_gb
    spare = recovery.rto_minutes * 60 - START_SECONDS
    remedy = f"rto_minutes of at least {math.ceil(promised.rto_seconds / 60)}"
    if spare > 0:
        faster = math.ceil(copied * 1_000 / spare)
        remedy = f"restore_mb_per_second of at least {faster}, once a drill measured it, or {remedy}"
    yield Invariant(
        name="restore and RTO",
        where="disaster_recovery › rto_minutes",
        left=f"{START_SECONDS} s to start, {copied:,.0f} GB at {recovery.restore_mb_per_second} MB/s "
        f"= {promised.rto_seconds:,} s",
        right=f"disaster_recovery › rto_minutes is {recovery.rto_minutes} ({recovery.rto_minutes * 60:,} s)",
        holds=promised.rto_seconds <= recovery.rto_minutes * 60,
        why="after the loss of the servers nothing is written before all of the database is back",
        remedy=remedy,
    )


def retention_covers_rpo(plan: StagePlan) -> Iterator[Invariant]:
    """What the RPO promises is still kept."""
    days, minutes = plan.config.backup.wal_retention_days, plan.config.disaster_recovery.rpo_minutes
    yield Invariant(
        name="WAL retention and RPO",
        where="backup › wal_retention_days",
        left=f"{days} days",
        right=f"the RPO is {minutes:,} minutes",
        holds=days * 1_440 >= minutes,
        why="a restore to any second within the RPO needs the WAL of that time",
        remedy=f"wal_retention_days of at least {math.ceil(minutes / 1_440)}",
    )


def backups_reach_back(plan: StagePlan) -> Iterator[Invariant]:
    """Full backups are kept as long as any second shall be restorable: WAL without a backup before it restores nothing.

    pgBackRest drops the oldest full backup, and the WAL before the next one, as soon as a new one is complete; at
    that moment the oldest kept one is (keep_full − 1) × full_every_days old. Source: pgBackRest user guide, retention.
    """
    backup = plan.config.backup
    reach = (backup.keep_full - 1) * backup.full_every_days
    needed = math.ceil(backup.wal_retention_days / backup.full_every_days) + 1
    yield Invariant(
        name="full backups and retention",
        where="backup › keep_full",
        left=f"({backup.keep_full} full backups − 1) × {backup.full_every_days} days = {reach} days back",
        right=f"wal_retention_days is {backup.wal_retention_days}",
        holds=reach >= backup.wal_retention_days,
        why="WAL is restored onto the full backup before it, so the oldest one decides how far back a restore reaches",
        remedy=f"keep_full: {needed}, or wal_retention_days of at most {max(1, reach)}",
    )


def retention_spans_a_full_backup(plan: StagePlan) -> Iterator[Invariant]:
    """A mistake that the newest full backup already holds can be undone from before it."""
    backup = plan.config.backup
    yield Invariant(
        name="retention and full backups",
        where="backup › wal_retention_days",
        left=f"{backup.wal_retention_days} days",
        right=f"full backups are {backup.full_every_days} days apart",
        holds=backup.wal_retention_days >= backup.full_every_days,
        why="between two full backups there must always be a second to go back to, also right after one",
        remedy=f"wal_retention_days of at least {backup.full_every_days}",
    )


def incrementals_lie_between(plan: StagePlan) -> Iterator[Invariant]:
    """Incremental backups come more often than full ones."""
    backup = plan.config.backup
    if backup.incremental_every_hours is not None:
        yield Invariant(
            name="incremental and full backups",
            where="backup › incremental_every_hours",
            left=f"every {backup.incremental_every_hours} hours",
            right=f"a full backup comes every {backup.full_every_days * 24} hours",
            holds=backup.incremental_every_hours < backup.full_every_days * 24,
            why="an incremental backup that is never due saves nothing",
            remedy=f"fewer than {backup.full_every_days * 24} hours, or null",
        )


def a_disaster_has_a_restore(plan: StagePlan) -> Iterator[Invariant]:
    """While a disaster lasts, the API is sent to a restored database: something must restore it."""
    recovery = plan.config.disaster_recovery
    if recovery.active:
        yield Invariant(
            name="disaster and restore",
            where="disaster_recovery › active",
            left="the API is sent to the restored database",
            right=f"the kind is {recovery.kind}, which restores {'nothing' if plan.recovery is None else 'it'}",
            holds=plan.recovery is not None and plan.recovery.restoring,
            why="without a restore VM there is no database at that address",
            remedy="kind: landing or standby, or active: false",
        )
