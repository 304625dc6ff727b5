"""How long and how well a promotion's figures must be known. The thresholds themselves stand in the stage files.

Sources: the growth plan, sections 3 and 12.16, read 2026-11-22, unless a line says "a choice".
"""

from __future__ import annotations

LEAST_COVERAGE = 0.95
"""Share of a day's samples below which the day is unknown. A choice, as canary tools make it: no data is no success."""

GPU_DAYS = 3
API_P95_DAYS = 2
PEAK_DAYS = 1
"""Days in a row of GPU utilisation, of the API's p95, and of a wait "at peak". Sign-ups and concurrent users take the
stage file's `next_stage.sustained_days`."""

OTHER_DAYS = 2
"""Days in a row of what the plan gives no number of days for: cache misses, database TPS, network. A choice."""

RESERVE_MONTHS = 3
"""Months of the next stage's cost that must be in reserve."""

ATTESTED_DAYS = 30
"""So long does what a person looked up (cards in stock, power, link) hold. A choice."""

DOWN_DAYS = 30
"""Days in a row of fewer users than the stage begins at, before going down is due. A choice: going down costs service,
and a holiday lasts less."""

DOWN_MONTHS = 2
"""Full months in a row whose cost was above their revenue, before going down is due. A choice."""

APPROVAL_DAYS = 14
"""So long does an approval hold at most. A choice: prices, plan and facts move on."""
