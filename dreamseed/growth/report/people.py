"""A forecast in tables, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dreamseed.growth.forecast import HORIZON_MONTHS, Entry, Forecast
from dreamseed.growth.models import Model
from dreamseed.growth.report.curves import curves
from dreamseed.growth.report.words import UNKNOWN, count, measured, months, percent, three, times, usd
from dreamseed.growth.timing import month_after
from dreamseed.planning.report.style import mark, table

MOST_ROWS = 25
"""Rows of the table of months; longer forecasts show every n-th month and those in which a stage begins."""


def forecast_tables(shown: Forecast) -> RenderableType:
    """Return the forecast as a headline, curves, tables and what one must know to read them."""
    return Group(*_parts(shown))


def _parts(shown: Forecast) -> Iterator[RenderableType]:
    yield _headline(shown)
    yield curves(shown)
    yield _entries(shown)
    yield _orders(shown)
    yield _months(shown)
    yield _stages(shown)
    yield _one_payer(shown)
    yield _kpis(shown)
    for note in shown.notes:
        yield Text(f"• {note}")


def _headline(shown: Forecast) -> Text:
    request, values, last = shown.request, shown.parameters, shown.months[-1]
    further = {
        Model.PLAN: "",
        Model.COHORT: f", α + β {values['concentration']:g}",
        Model.VIRAL: f", cycle {values['cycle_months']:g} months",
    }
    return Text(
        f"{request.scenario}, model {request.model}: from {values['users']:,.0f} users on {request.start} with K "
        f"{values['k']:g}, churn {percent(values['churn'])}{further[request.model]} to {count(last.users)} users at "
        f"month {last.month}, stage {last.stage}",
        style="bold",
    )


def _entries(shown: Forecast) -> Table:
    drawn = table(
        f"When each stage begins ({shown.request.runs:,} runs, seed {shown.request.seed})",
        *(
            "stage",
            "sign-ups above",
            "month",
            "on",
            "P10 / P50 / P90 month",
            f"runs that reach it in {HORIZON_MONTHS // 12} years",
        ),
    )
    for entry in shown.entries:
        drawn.add_row(
            entry.stage,
            count(entry.begins_above_sign_ups),
            count(entry.month),
            str(entry.begins_on or "–"),
            three((entry.months.p10, entry.months.p50, entry.months.p90)),
            percent(entry.share_of_runs, 0),
        )
    return drawn


def _orders(shown: Forecast) -> Table:
    drawn = table("Hardware to order by", "for stage", "order", "by", "P10", "P50", "P90")
    for entry in shown.entries:
        days = entry.order_days
        if entry.new_gpus or entry.new_servers:
            dated = (day.isoformat() if day else "never" for day in (entry.order_by, days.p10, days.p50, days.p90))
            drawn.add_row(entry.stage, _order(entry), *dated)
    start = shown.request.start
    overdue = [entry.stage for entry in shown.entries if entry.order_days.p50 and entry.order_days.p50 < start]
    if overdue:
        drawn.caption = f"{', '.join(overdue)}: more likely than not the day is past on {start}; order now"
        drawn.caption_justify = "left"
    return drawn


def _order(entry: Entry) -> str:
    parts = ((entry.new_servers, "server"), (entry.new_gpus, "GPU"))
    return ", ".join(f"{number} {word}{'s' if number > 1 else ''}" for number, word in parts if number)


def _months(shown: Forecast) -> Table:
    columns = ["month", "on", "users", "sign-ups", "stage", "paying", "revenue", "cost", "profit", "ROI", "cash"]
    hidden = {"sign-ups"} if shown.request.model is Model.PLAN else set()
    hidden |= {"cash"} if shown.request.assumed.cash_usd is None else set()
    kept = [column for column in columns if column not in hidden]
    drawn = table("Month by month, USD", *kept)
    begins = {entry.month for entry in shown.entries}
    step = math.ceil(len(shown.months) / MOST_ROWS)
    for one in shown.months:
        if one.month % step and one.month not in begins and one is not shown.months[-1]:
            continue
        row = {
            "month": str(one.month),
            "on": str(month_after(shown.request.start, one.month)),
            "users": count(one.users),
            "sign-ups": count(one.sign_ups),
            "stage": one.stage.value,
            "paying": count(one.payers),
            "revenue": usd(one.revenue_usd),
            "cost": usd(one.cost_usd),
            "profit": usd(one.profit_usd),
            "ROI": percent(one.roi, 0),
            "cash": usd(one.cash_usd),
        }
        drawn.add_row(*(row[column] for column in kept))
    return drawn


def _stages(shown: Forecast) -> Table:
    drawn = table(
        "Each stage at its full sign-ups, USD a month",
        *("stage", "sign-ups", "paying", "revenue", "cost", "margin", "ROI", "a sign-up brings", "and costs"),
        *("LTV a sign-up", "pays twice the cost, of sign-ups", "of daily active users"),
    )
    for stage in shown.stages:
        drawn.add_row(
            stage.stage,
            count(stage.sign_ups),
            percent(stage.conversion, 0),
            usd(stage.revenue_usd),
            usd(stage.cost_usd),
            percent(stage.margin),
            percent(stage.roi, 0),
            usd(stage.arpu_usd),
            usd(stage.cost_per_user_usd),
            usd(stage.lifetime_value_usd),
            percent(stage.conversion_for_gate, 3),
            percent(stage.conversion_for_gate_of_daily_active, 3),
        )
    return drawn


def _one_payer(shown: Forecast) -> Table:
    one = shown.one
    drawn = table("One paying user", "", "")
    drawn.show_header = False
    for words, value in (
        ("brings a month", f"{usd(one.arpu_usd)} USD, of which {percent(one.gross_margin, 0)} gross margin"),
        ("lifetime value, at constant churn", f"{usd(one.lifetime_value_usd)} USD"),
        (
            "may cost to win, at LTV/CAC of 3",
            f"{usd(one.cac_limit_usd)} USD, back in {months(one.payback_limit_months)}",
        ),
        ("costs to win", UNKNOWN if one.cac_usd is None else f"{usd(one.cac_usd)} USD"),
        ("LTV/CAC", times(one.lifetime_value_over_cac)),
        ("CAC payback", months(one.payback_months)),
        ("quick ratio of the last month: won over lost", f"{times(one.quick_ratio)} (from 4 on called good)"),
    ):
        drawn.add_row(words, value)
    return drawn


def _kpis(shown: Forecast) -> Table:
    drawn = table(
        f"KPIs at month {shown.months[-1].month}", "KPI", "value", "target", "", "where the plan itself misses it"
    )
    for kpi in shown.kpis:
        target = kpi.target
        met = Text("?") if kpi.met is None else mark(kpi.met)
        sign = ">" if target.above else "<"
        drawn.add_row(
            *(target.name, measured(kpi.value, target.unit), f"{sign} {measured(target.target, target.unit)}"),
            *(met, target.contradiction),
        )
    return drawn
