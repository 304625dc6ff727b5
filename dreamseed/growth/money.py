"""What each stage brings at its full sign-ups, and what each month of a trajectory brings and costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dreamseed.catalog.revenue_plan import CONVERSION, LTV_GROSS_MARGIN, PRICE_USD_PER_MONTH, REVENUE_OVER_COST
from dreamseed.config.types import Stage
from dreamseed.growth.finance import lifetime_value_usd, margin, revenue_usd, roi
from dreamseed.growth.ladder import Ladder, Rung, rungs_held
from dreamseed.growth.models import Trajectories
from dreamseed.growth.parameters import GrowthError


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What the plan does not say, in USD: the price is the plan's; None means unknown, and nothing is counted for it.

    `cac_usd_per_payer` is the cost of winning one paying user, `fixed_usd_per_month` whatever is paid besides the
    infrastructure (people, rent), `cash_usd` what there is at month 0.
    """

    price_usd_per_month: float = PRICE_USD_PER_MONTH
    cac_usd_per_payer: float | None = None
    fixed_usd_per_month: float = 0.0
    cash_usd: float | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("price", self.price_usd_per_month),
            ("cac", self.cac_usd_per_payer),
            ("fixed-costs", self.fixed_usd_per_month),
            ("cash", self.cash_usd),
        ):
            if value is not None and not 0 <= value < 1e15:
                raise GrowthError(f"grow › {name}", f"{value:g} USD is out of range", "it is an amount", "0 or more")


@dataclass(frozen=True, kw_only=True)
class StageMoney:
    """A stage at its full sign-ups, a month: the plan's table, with what follows from it.

    `conversion_for_gate` and `conversion_for_gate_of_daily_active` are the shares that must pay for revenue to be twice
    the expected cost; `lifetime_value_usd` is per sign-up at the scenario's churn, None without churn.
    """

    stage: Stage
    sign_ups: int
    conversion: float
    revenue_usd: float
    cost_low_usd: float
    cost_usd: float
    cost_high_usd: float
    profit_usd: float
    margin: float | None
    roi: float | None
    arpu_usd: float
    cost_per_user_usd: float
    conversion_for_gate: float | None
    conversion_for_gate_of_daily_active: float | None
    lifetime_value_usd: float | None


def stage_money(rung: Rung, churn: float, price_usd: float) -> StageMoney:
    """Return what `rung`'s stage brings and costs when all its sign-ups are there."""
    conversion = CONVERSION[rung.stage]
    revenue = revenue_usd(rung.sign_ups, conversion, price_usd)
    cost = rung.cost.expected
    arpu = conversion * price_usd
    return StageMoney(
        stage=rung.stage,
        sign_ups=rung.sign_ups,
        conversion=conversion,
        revenue_usd=revenue,
        cost_low_usd=rung.cost.low,
        cost_usd=cost,
        cost_high_usd=rung.cost.high,
        profit_usd=revenue - cost,
        margin=margin(revenue, cost),
        roi=roi(revenue, cost),
        arpu_usd=arpu,
        cost_per_user_usd=cost / rung.sign_ups,
        conversion_for_gate=_conversion_for_gate(cost, rung.sign_ups, price_usd),
        conversion_for_gate_of_daily_active=_conversion_for_gate(cost, rung.daily_active_users, price_usd),
        lifetime_value_usd=lifetime_value_usd(arpu, LTV_GROSS_MARGIN, churn) if churn > 0 else None,
    )


def _conversion_for_gate(cost_usd: float, users: int, price_usd: float) -> float | None:
    return REVENUE_OVER_COST * cost_usd / (users * price_usd) if price_usd > 0 else None


@dataclass(frozen=True, kw_only=True)
class MonthMoney:
    """One month: users, the stage that is held, and its money in USD.

    `profit_usd` is revenue − expected cost − acquisition − fixed costs; `roi` its share of all three. `cash_usd` is the
    cash after the month, None when the cash at the start is unknown.
    """

    month: int
    users: float
    sign_ups: float
    new_users: float
    churned_users: float
    stage: Stage
    payers: float
    revenue_usd: float
    cost_low_usd: float
    cost_usd: float
    cost_high_usd: float
    acquisition_usd: float
    profit_usd: float
    roi: float | None
    cash_usd: float | None


def months_money(grown: Trajectories, rungs: Ladder, assumed: Assumptions, months: int) -> Iterator[MonthMoney]:
    """Yield months 0 to `months` of the first run of `grown`; month 0 is the state at the start, paid like a month."""
    held = rungs_held(rungs, grown.sign_ups[:1])[0]
    cash = assumed.cash_usd
    for month in range(months + 1):
        rung = rungs[held[month]]
        users, new = float(grown.users[0, month]), float(grown.new[0, month])
        conversion = CONVERSION[rung.stage]
        revenue = revenue_usd(users, conversion, assumed.price_usd_per_month)
        acquisition = new * conversion * (assumed.cac_usd_per_payer or 0.0)
        spent = rung.cost.expected + acquisition + assumed.fixed_usd_per_month
        cash = None if cash is None else cash + revenue - spent
        yield MonthMoney(
            month=month,
            users=users,
            sign_ups=float(grown.sign_ups[0, month]),
            new_users=new,
            churned_users=float(grown.churned[0, month]),
            stage=rung.stage,
            payers=users * conversion,
            revenue_usd=revenue,
            cost_low_usd=rung.cost.low,
            cost_usd=rung.cost.expected,
            cost_high_usd=rung.cost.high,
            acquisition_usd=acquisition,
            profit_usd=revenue - spent,
            roi=roi(revenue, spent),
            cash_usd=cash,
        )
