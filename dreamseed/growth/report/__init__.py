"""A forecast for people and for machines: tables and curves on a terminal, a picture, JSON."""

from __future__ import annotations

from dreamseed.growth.report.machine import forecast_as_json
from dreamseed.growth.report.people import forecast_tables
from dreamseed.growth.report.picture import forecast_svg

__all__ = ["forecast_as_json", "forecast_svg", "forecast_tables"]
