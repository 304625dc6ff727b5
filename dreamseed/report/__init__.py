"""One page that says what the stages are, cost, survive and promise: a single HTML file that loads nothing."""

from __future__ import annotations

from dreamseed.report.facts import DEFAULT_MONTHS, Report, StageFacts, gather
from dreamseed.report.origin import Origin, origin_of
from dreamseed.report.page import report_page

__all__ = ["DEFAULT_MONTHS", "Origin", "Report", "StageFacts", "gather", "origin_of", "report_page"]
