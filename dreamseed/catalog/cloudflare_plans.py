"""What each Cloudflare plan allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dreamseed.catalog.provenance import Evidence, Provenance
from dreamseed.config.cloud import CloudflarePlan

SOURCE = Provenance(
    source="cloudflare-docs src/content/plans/index.json and the WAF page on rate-limiting availability",
    recorded_on=date(2026, 11, 22),
    evidence=Evidence.DOCUMENTED,
)


@dataclass(frozen=True, kw_only=True)
class PlanLimits:
    """Limits of a zone's plan. Times in seconds; `*_rules` count the rules of a phase."""

    custom_rules: int
    regular_expressions: bool
    managed_rulesets: bool
    rate_limit_rules: int
    rate_limit_max_period_seconds: int
    rate_limit_max_timeout_seconds: int
    rate_limit_by_host: bool
    cache_rules: int
    redirect_rules: int
    min_edge_ttl_seconds: int
    upload_limit_mb: int
    uptime_sla: bool


PLAN_LIMITS: Mapping[CloudflarePlan, PlanLimits] = {
    CloudflarePlan.FREE: PlanLimits(
        custom_rules=5,
        regular_expressions=False,
        managed_rulesets=False,
        rate_limit_rules=1,
        rate_limit_max_period_seconds=10,
        rate_limit_max_timeout_seconds=10,
        rate_limit_by_host=False,
        cache_rules=10,
        redirect_rules=10,
        min_edge_ttl_seconds=7_200,
        upload_limit_mb=100,
        uptime_sla=False,
    ),
    CloudflarePlan.PRO: PlanLimits(
        custom_rules=20,
        regular_expressions=False,
        managed_rulesets=True,
        rate_limit_rules=2,
        rate_limit_max_period_seconds=60,
        rate_limit_max_timeout_seconds=3_600,
        rate_limit_by_host=True,
        cache_rules=25,
        redirect_rules=25,
        min_edge_ttl_seconds=3_600,
        upload_limit_mb=100,
        uptime_sla=False,
    ),
    CloudflarePlan.BUSINESS: PlanLimits(
        custom_rules=100,
        regular_expressions=True,
        managed_rulesets=True,
        rate_limit_rules=5,
        rate_limit_max_period_seconds=600,
        rate_limit_max_timeout_seconds=86_400,
        rate_limit_by_host=True,
        cache_rules=50,
        redirect_rules=50,
        min_edge_ttl_seconds=1,
        upload_limit_mb=200,
        uptime_sla=True,
    ),
}
"""The number of redirect rules is that of the origin rules' row: unverified, and far from what is used."""

RATE_LIMIT_PERIODS_SECONDS = (
    *(10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900),
    *(1_200, 1_800, 2_400, 3_600, 65_535, 86_400),
)
"""The only periods that the API accepts."""

CLOUDFLARE_MANAGED_RULESET = "efb7b8c949ac4650a09736fc376e9aee"
OWASP_CORE_RULESET = "4814384a9e5d4991b9815dcfc25d2f1f"
"""Ids of the managed rulesets, the same in every account."""
