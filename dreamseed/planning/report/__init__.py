"""A plan for people and for machines: tables on a terminal, and JSON."""

from __future__ import annotations

from dreamseed.planning.report.machine import plan_as_json, promotion_as_json
from dreamseed.planning.report.people import plan_tables
from dreamseed.planning.report.promotion import promotion_tables

__all__ = ["plan_as_json", "plan_tables", "promotion_as_json", "promotion_tables"]
