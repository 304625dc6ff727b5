"""Formulas of money, each for one month or one user. Rates are ratios, times months, money USD.

Two bases that must never be mixed: per *sign-up* (everybody) and per *payer* (who converted).
Source: the growth plan, section 8, for revenue, profit and ROI; for the others the field's usual definitions.
"""

from __future__ import annotations

import math

from dreamseed.growth.parameters import GrowthError


def revenue_usd(users: float, conversion: float, price_usd: float) -> float:
    """Return users × conversion × price."""
    return users * conversion * price_usd


def margin(revenue: float, cost: float) -> float | None:
    """Return profit as a share of the revenue, or None without revenue."""
    return (revenue - cost) / revenue if revenue > 0 else None


def roi(revenue: float, cost: float) -> float | None:
    """Return profit as a share of the cost, or None without cost."""
    return (revenue - cost) / cost if cost > 0 else None


def lifetime_value_usd(arpu_usd: float, gross_margin: float, churn: float) -> float:
    """Return ARPU × gross margin / churn: what a user brings until leaving, when churn stays what it is.

    Per payer or per sign-up, as `arpu_usd` is. Raises `GrowthError` when churn is 0: it would have no end.
    """
    if churn <= 0:
        raise GrowthError(
            "grow › churn",
            "0 gives a lifetime value without end",
            "it divides by churn",
            "a churn above 0, or read no LTV from this forecast",
        )
    return arpu_usd * gross_margin / churn


def payback_months(cac_usd: float, arpu_usd: float, gross_margin: float) -> float:
    """Return the months after which a user has paid back the cost of being won; infinite when nothing comes in."""
    monthly = arpu_usd * gross_margin
    return cac_usd / monthly if monthly > 0 else math.inf


def quick_ratio(new: float, churned: float) -> float | None:
    """Return users won over users lost, infinite when none is lost, None when neither. Nobody counts as returned."""
    if churned > 0:
        return new / churned
    return math.inf if new > 0 else None


def runway_months(cash_usd: float, profit_usd_per_month: float) -> float:
    """Return cash over net burn; infinite when the month makes no loss, 0 when the cash is gone."""
    if profit_usd_per_month >= 0:
        return math.inf
    return max(0.0, cash_usd) / -profit_usd_per_month
