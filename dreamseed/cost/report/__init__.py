"""Estimates for people, for machines and for pull requests."""

from dreamseed.cost.report.comment import comment
from dreamseed.cost.report.machine import as_json, diff_as_json
from dreamseed.cost.report.tables import all_tables, diff_tables, stage_tables

__all__ = ["all_tables", "as_json", "comment", "diff_as_json", "diff_tables", "stage_tables"]
