"""The sources of the price book. All were read on one day, as dated copies: no vendor's page was read live.

A shelf life of 180 days is a choice; spot prices move up to once a day and get 90. When a source is read again, write
its day here and its prices in the rows: nothing else has to change.
"""

from __future__ import annotations

from datetime import date

from dreamseed.catalog.prices.model import PriceSource

READ_ON = date(2026, 11, 23)


def _source(text: str, shelf_life_days: int = 180) -> PriceSource:
    return PriceSource(text=text, read_on=READ_ON, shelf_life_days=shelf_life_days)


RUN_PAGE = _source("cloud.google.com/run/pricing, undated crawl, and code derived from the billing catalogue in 2026")
RUN_TIER_2 = _source("Google's billing fixtures of 2024-07 and a Korean Cloud Run bill of 2026")
RUN_INSTANCE = _source("Google blog 2021-09 (CPU 25 % and memory 20 % lower, no request fee) and the Cloud Run page")
RUN_DERIVED = _source(
    "derived: the tier-1 price of instance-based billing × 1.4, the ratio of the request-based prices"
)
CATALOG_2024 = _source("Google's billing fixtures, golden files of 2024-07")
CATALOG_2026 = _source(
    "Google's billing catalogue fixtures of 2026 and usage.ai 2026-05; regional twice zonal (2024-07)"
)
GCOSTS = _source("public gcosts pricing.yml of 2026-08-20", shelf_life_days=90)
SPOT_2025 = _source("public price list of 2025-03-06", shelf_life_days=90)
NETWORK_PAGES = _source("Google's network and NAT price pages, as a public wiki read them on 2026-10-16, and crawls")
BALANCER = _source("Google's load balancing page, transcribed 2026-09-20")
LOGGING = _source("Google's logging page, transcribed 2026-09-12")
STORAGE = _source("Google's storage page, transcribed 2026-09-20")
SCHEDULER = _source("cloud.google.com/scheduler/pricing, a stored copy without a date: 0.10 USD a job, 3 jobs free")
ALERTING = _source("cloud.google.com/stackdriver pricing, stored copies of 2025: charging was announced and postponed")
CLOUDFLARE = _source("cloudflare.com/plans, transcribed 2026-10-07")
BACKBLAZE = _source("backblaze.com pricing, recorded 2026-09-07 and 2026-09-29; 6.95 USD a TB since 2026-05-01")
GRAFANA = _source("grafana.com/pricing, transcribed 2026-05-25, its fee again 2026-08-27")
KEPCO = _source("KEPCO residential tariff of 2024 with climate 9, fuel 5, × 1.137 (VAT, fund), at 1,400 KRW a USD")
KEPCO_INDUSTRIAL = _source("KEPCO industrial tariff (A)-I low voltage of 2024-10-24, × 1.137, at 1,400 KRW a USD")
GROWTH_PLAN = _source("the growth plan v1.0 of 2025-11-10, sections 2 and 12")
TARIFF = _source("the growth plan's 0.12 USD a kWh; range from the KEPCO tables at 1,400 KRW a USD, unverified")
RECALLED = _source("recalled, no dated copy found: read the vendor's page before relying on it")
CHOICE = _source("a choice, no price found: ask the provider")
