"""Machines in the cloud: Cloud SQL, the witness, workers that bridge a peak, the restore machine of a disaster."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.compute import on_demand_sku, spot_sku
from dreamseed.catalog.prices.model import HOURS_PER_MONTH
from dreamseed.config.usage import BurstPricing
from dreamseed.cost.quantities.cloud_run import refresh_hours_per_month
from dreamseed.cost.quantities.use import Month, Use
from dreamseed.planning.burst import DISK_GIB

BACKUPS_OF_DATABASE = 2
"""A full backup, and six incremental ones with a week's log taken as much again: a choice."""
RESTORE_BOOT_DISK_GIB = 20


def machine_uses(month: Month) -> Iterator[Use]:
    """Yield every machine of the stage."""
    yield from _cloud_sql(month)
    yield from _witness(month)
    yield from _burst(month)
    yield from _restore(month)


def _use(month: Month, name: str, sku: str, quantity: float, why: str) -> Use:
    return Use(name=name, sku=sku, quantity=quantity, line=CostLine.NOT_PLANNED, why=why, region=month.region)


def _cloud_sql(month: Month) -> Iterator[Use]:
    recovery = month.plan.recovery
    if recovery is None:
        return
    config = month.plan.config.disaster_recovery
    kind = recovery.availability.lower()
    hours = refresh_hours_per_month(month) if recovery.rests else float(HOURS_PER_MONTH)
    how = "runs while it is loaded, stopped otherwise" if recovery.rests else "runs all month"
    disk_gib = max(float(recovery.disk_gib), month.database_gib)
    yield _use(month, f"Cloud SQL {kind}, CPU", f"sql-{kind}-cpu", config.cpu * hours, f"{config.cpu} vCPU, {how}")
    memory_gib = config.memory_mib / 1_024
    yield _use(
        month, f"Cloud SQL {kind}, memory", f"sql-{kind}-memory", memory_gib * hours, f"{memory_gib:g} GiB, {how}"
    )
    yield _use(
        month, f"Cloud SQL {kind}, disk", f"sql-{kind}-ssd", disk_gib, "its disk is billed while it is stopped too"
    )
    if recovery.keeps_backups:
        size = month.database_gib * BACKUPS_OF_DATABASE
        yield _use(month, "Cloud SQL backups", "sql-backup", size, f"{BACKUPS_OF_DATABASE} times the database")


def _witness(month: Month) -> Iterator[Use]:
    witness = month.plan.config.network.witness
    if witness is None:
        return
    yield _use(
        month, "witness VM", on_demand_sku(witness.machine_type), HOURS_PER_MONTH, f"{witness.machine_type}, all month"
    )
    yield _use(month, "witness disk", "disk-balanced", witness.disk_gib, f"{witness.disk_gib} GiB")


def _burst(month: Month) -> Iterator[Use]:
    burst = month.plan.burst
    if burst is None:
        return
    spot = month.usage.burst_pricing is BurstPricing.SPOT
    machine, hours = burst.machine.name, month.burst_hours
    why = f"{hours:g} h of one {machine} to bridge peaks"
    yield _use(
        month,
        f"burst worker, {'spot' if spot else 'on demand'}",
        spot_sku(machine) if spot else on_demand_sku(machine),
        hours,
        why,
    )
    yield _use(month, "burst worker's disk", "disk-balanced", DISK_GIB * hours / HOURS_PER_MONTH, why)
    yield _use(month, "burst worker's address", "address-in-use-spot" if spot else "address-in-use", hours, why)


def _restore(month: Month) -> Iterator[Use]:
    recovery = month.plan.recovery
    if recovery is None or not recovery.restoring:
        return
    _, _, cpu, memory_mib = recovery.restore_machine.split("-")
    why = f"{recovery.restore_machine}, all month while the disaster lasts"
    yield _use(month, "restore VM, CPU", "n2-custom-cpu", int(cpu) * HOURS_PER_MONTH, why)
    yield _use(month, "restore VM, memory", "n2-custom-memory", int(memory_mib) / 1_024 * HOURS_PER_MONTH, why)
    yield _use(month, "restore VM, data disk", "disk-ssd", recovery.restore_disk_gib, why)
    yield _use(month, "restore VM, boot disk", "disk-balanced", RESTORE_BOOT_DISK_GIB, why)
