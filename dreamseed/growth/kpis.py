"""The plan's business KPIs at the end of a forecast, each with its target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dreamseed.catalog import revenue_plan as plan
from dreamseed.growth.finance import lifetime_value_usd, margin, payback_months, quick_ratio, runway_months
from dreamseed.growth.money import Assumptions, MonthMoney

_DIGITS = 9
"""Values are compared with their targets after rounding: 1 + (1.2 − 1) − 0.05 grows by 15 %, not by a hair less."""


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One KPI: `met` is None when `value` is unknown."""

    target: plan.KpiTarget
    value: float | None

    @property
    def met(self) -> bool | None:
        """Tell whether the target is met; exactly at it is not."""
        if self.value is None:
            return None
        value = round(self.value, _DIGITS)
        return value > self.target.target if self.target.above else value < self.target.target


@dataclass(frozen=True, kw_only=True)
class UnitEconomics:
    """What one payer is worth, in USD and months; None where churn is 0 or the CAC is unknown.

    `cac_limit_usd` is the most that winning a payer may cost at the KPI of LTV/CAC, `payback_limit_months` the payback
    of that much. `quick_ratio` is the last month's users won over users lost.
    """

    arpu_usd: float
    gross_margin: float
    lifetime_value_usd: float | None
    cac_limit_usd: float | None
    payback_limit_months: float | None
    cac_usd: float | None
    lifetime_value_over_cac: float | None
    payback_months: float | None
    quick_ratio: float | None


def unit_economics(last: MonthMoney, churn: float, assumed: Assumptions) -> UnitEconomics:
    """Return the economics of one payer at the gross margin of the plan's KPI and the scenario's constant churn."""
    arpu, gross = assumed.price_usd_per_month, plan.LTV_GROSS_MARGIN
    value = lifetime_value_usd(arpu, gross, churn) if churn > 0 else None
    limit = value / plan.LTV_OVER_CAC.target if value is not None else None
    cac = assumed.cac_usd_per_payer
    return UnitEconomics(
        arpu_usd=arpu,
        gross_margin=gross,
        lifetime_value_usd=value,
        cac_limit_usd=limit,
        payback_limit_months=payback_months(limit, arpu, gross) if limit else None,
        cac_usd=cac,
        lifetime_value_over_cac=value / cac if value is not None and cac else None,
        payback_months=payback_months(cac, arpu, gross) if cac is not None else None,
        quick_ratio=quick_ratio(last.new_users, last.churned_users),
    )


def kpis(before: MonthMoney, last: MonthMoney, k: float, one: UnitEconomics, assumed: Assumptions) -> tuple[Kpi, ...]:
    """Return the KPIs of the month `last`, which follows `before`."""
    return tuple(Kpi(target=target, value=value) for target, value in _values(before, last, k, one, assumed))


def _values(
    before: MonthMoney, last: MonthMoney, k: float, one: UnitEconomics, assumed: Assumptions
) -> Iterator[tuple[plan.KpiTarget, float | None]]:
    yield plan.GROWTH, _ratio(last.users, before.users, minus=1)
    yield plan.VIRAL_K, k
    yield plan.CHURN, _ratio(last.churned_users, before.users)
    yield plan.CONVERSION_RATE, plan.CONVERSION[last.stage]
    yield plan.ARPU, one.arpu_usd
    yield plan.LTV_OVER_CAC, one.lifetime_value_over_cac
    costs = _ratio(last.cost_usd, last.users), _ratio(before.cost_usd, before.users)
    yield plan.COST_PER_USER, None if costs[0] is None or costs[1] is None else costs[0] - costs[1]
    yield plan.NET_MARGIN, margin(last.revenue_usd, last.revenue_usd - last.profit_usd)
    yield plan.RUNWAY, _runway(last, assumed)


def _ratio(part: float, whole: float, minus: float = 0) -> float | None:
    return part / whole - minus if whole > 0 else None


def _runway(last: MonthMoney, assumed: Assumptions) -> float | None:
    if last.profit_usd < 0 and assumed.cash_usd is None:
        return None
    return runway_months(last.cash_usd or 0.0, last.profit_usd)
