"""What the growth plan says of each stage in figures that the program departs from.

Source: the growth plan v1.0 of 2025-11-10, sections 1 and 2, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from dreamseed.config.cloud import CloudflarePlan
from dreamseed.config.types import Stage


class CostLine(StrEnum):
    """The lines of the plan's cost table, in its order, and one for what it has no line for."""

    ELECTRICITY = "electricity"
    CLOUD_RUN = "Cloud Run"
    CLOUDFLARE = "Cloudflare"
    STORAGE = "storage"
    DOMAIN = "domain"
    MONITORING = "monitoring"
    BACKUP = "backup"
    NETWORK = "network"
    RESERVE = "reserve"
    NOT_PLANNED = "not in the plan"


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """One column of the plan's tables. Costs in USD a month, a line each; a line that the plan leaves out is 0."""

    gpus: int
    cloudflare: CloudflarePlan
    cloudflare_usd: int
    electricity_usd: int
    storage_usd: int
    sum_usd: int
    budget_usd: int
    cloud_run_usd: int
    domain_usd: int = 0
    monitoring_usd: int = 0
    backup_usd: int = 0
    network_usd: int = 0
    reserve_usd: int = 0

    def line_usd(self, line: CostLine) -> int:
        """Return the plan's figure for `line`, 0 where it has none."""
        return {
            CostLine.ELECTRICITY: self.electricity_usd,
            CostLine.CLOUD_RUN: self.cloud_run_usd,
            CostLine.CLOUDFLARE: self.cloudflare_usd,
            CostLine.STORAGE: self.storage_usd,
            CostLine.DOMAIN: self.domain_usd,
            CostLine.MONITORING: self.monitoring_usd,
            CostLine.BACKUP: self.backup_usd,
            CostLine.NETWORK: self.network_usd,
            CostLine.RESERVE: self.reserve_usd,
        }.get(line, 0)


GROWTH_PLAN: Mapping[Stage, PlannedStage] = MappingProxyType(
    {
        Stage.A: PlannedStage(
            gpus=1,
            cloudflare=CloudflarePlan.FREE,
            cloudflare_usd=0,
            electricity_usd=50,
            storage_usd=5,
            sum_usd=100,
            budget_usd=100,
            cloud_run_usd=20,
            domain_usd=2,
            reserve_usd=23,
        ),
        Stage.B: PlannedStage(
            gpus=2,
            cloudflare=CloudflarePlan.PRO,
            cloudflare_usd=20,
            electricity_usd=90,
            storage_usd=10,
            sum_usd=180,
            budget_usd=180,
            cloud_run_usd=50,
            domain_usd=2,
            reserve_usd=8,
        ),
        Stage.C: PlannedStage(
            gpus=3,
            cloudflare=CloudflarePlan.PRO,
            cloudflare_usd=20,
            electricity_usd=130,
            storage_usd=15,
            sum_usd=290,
            budget_usd=290,
            cloud_run_usd=120,
            backup_usd=5,
        ),
        Stage.D: PlannedStage(
            gpus=4,
            cloudflare=CloudflarePlan.BUSINESS,
            cloudflare_usd=20,
            electricity_usd=180,
            storage_usd=30,
            sum_usd=500,
            budget_usd=500,
            cloud_run_usd=250,
            monitoring_usd=10,
            backup_usd=10,
        ),
        Stage.E: PlannedStage(
            gpus=5,
            cloudflare=CloudflarePlan.BUSINESS,
            cloudflare_usd=20,
            electricity_usd=230,
            storage_usd=50,
            sum_usd=810,
            budget_usd=800,
            cloud_run_usd=400,
            monitoring_usd=20,
            backup_usd=20,
            network_usd=20,
            reserve_usd=50,
        ),
    }
)

GPU_WATTS = 400
HOURS_PER_MONTH = 720
USD_PER_KWH = 0.12
"""The plan's formula for electricity: GPUs × 400 W × 720 h × 0.12 USD/kWh."""
